#pragma once

#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/couple.h"
#include "apps/result_folder.h"
#include "data/dataset.h"
#include "data/labels.h"

namespace apps {

/// The points that pairs are made of, in the coordinates that psi was solved in.
struct CoupleInputs {
  std::optional<data::Dataset> x;  ///< those that are given, or the source's; none where it is a law
  std::vector<double> mu;          ///< what the source's weigh; none of a law, and where points are given
  data::Dataset y;                 ///< the target's
  std::vector<double> nu;          ///< what they weigh
};

/// Loads them. Throws Error for what can't be read, and for what does not fit psi or the target.
CoupleInputs load_inputs(const CoupleRequest& request, const SolvedTransport& solved);

/// All that decides what pair p is: what was asked, psi, and digests of what was read, but for the built-in digits,
/// MNIST and laws, which a name tells.
nlohmann::ordered_json identity_of(const CoupleRequest& request, const SolvedTransport& solved,
                                   const CoupleInputs& inputs, const data::Labels& labels);

}  // namespace apps
