#pragma once

#include <string>

#include "apps/report/generated.h"
#include "apps/run_folder.h"

namespace apps {

/// Rewrites RUN/report.html, one file of less than 1 MB that shows the run as far as it has come, from what lies in its
/// folder: what was run, curves of metrics.csv, at most 24 of the pictures of samples, generated images beside their
/// nearest training images, walks between latent points, and what evaluation.json holds. What can't be shown, such as
/// the training images where the data are gone, is left out with a sentence. Throws Error where config.json can't be
/// read or the page can't be written. The training images are loaded from `source` where that is not empty, for runs
/// whose data have moved.
void write_report(const RunFolder& run, const std::string& source = "");

/// The same of images in the midst of training, of which these neighbours are known.
void write_report(const RunFolder& run, const report::Neighbours& neighbours);

}  // namespace apps
