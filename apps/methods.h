#pragma once

#include <string>

#include "apps/options.h"

namespace apps {

/// Throws Error, naming the option, with the methods that there are for any other.
void require_method(const std::string& method, const char* option = "method");

/// Whether every method has a use for this option.
bool used_by_all(const std::string& option);

/// The options of a preset, `best` or `paper`, for a method beside semidual. `paper` is the setting that its authors
/// published, as far as there are options for it, `best` what apps/learn/README.md says was found to learn better.
TrainOptions method_options(const std::string& method, const std::string& preset);

/// Puts another --optimizer in the place of a preset's: unless it is adam, which has betas, these go back to their
/// defaults.
void set_optimizer(TrainOptions& options, const std::string& optimizer);

/// Throws Error, naming the option, for one that is given although the options' method has no use for it, and for
/// values that it can't take.
void require_use(const TrainOptions& options);

/// Replaces by what they mean for such data, of a method beside semidual: 0 of --lr, --dual-lr and --inner,
/// of a critic's --penalty and --latent-dim, `auto` of --critic and --branches, --mlp-sizes and --critic-sizes where
/// they are not given, and the law of latent points that take the data's place.
void resolve_method(TrainOptions& options, const DataFacts& data);

/// Has a method transport the generator's points alone: where its source would be latent points, as by the published
/// seguy's `barycentric`, they follow its plan. No steps then come before the first iteration, which no clock counts.
void take_generated_source(TrainOptions& options);

/// What a method's loss is called where its values are shown; those of different names can't be compared.
const char* loss_symbol(const TrainOptions& options);

}  // namespace apps
