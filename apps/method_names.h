#pragma once

#include <algorithm>
#include <array>
#include <string_view>

/// What --method may be.
namespace apps::method {

inline constexpr std::string_view semidual = "semidual", wgan = "wgan", wgan_gp = "wgan-gp", genevay = "genevay",
                                  fatras = "fatras", gan = "gan", seguy = "seguy", sanjabi = "sanjabi", liu = "liu",
                                  liu_features = "liu-features", mallasto = "mallasto", chen = "chen",
                                  leclaire_rabin = "leclaire-rabin";

/// Those that have much in common: a critic that tells the data from what is generated, two networks for the
/// potentials, and transport between batches.
inline constexpr std::array critics{wgan, wgan_gp, gan};
inline constexpr std::array two_potentials{seguy, sanjabi};
inline constexpr std::array of_batches{genevay, fatras, liu};

/// Whether it is one of these.
constexpr bool among(const auto& methods, std::string_view method) {
  return std::ranges::find(methods, method) != methods.end();
}

}  // namespace apps::method
