#pragma once

#include <string_view>

/// What --method may be.
namespace apps::method {

inline constexpr std::string_view semidual = "semidual", wgan = "wgan", wgan_gp = "wgan-gp", genevay = "genevay",
                                  fatras = "fatras", gan = "gan", seguy = "seguy", sanjabi = "sanjabi", liu = "liu",
                                  liu_features = "liu-features", mallasto = "mallasto", chen = "chen",
                                  leclaire_rabin = "leclaire-rabin";

}  // namespace apps::method
