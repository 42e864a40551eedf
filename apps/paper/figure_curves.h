#pragma once

#include "apps/paper/figure_runs.h"

namespace apps {

/// Figures 2 and 3 from the runs' metrics: H over the iterations. Figure 2 has a panel for each generator and lambda,
/// with a curve for each potential; figure 3 a panel for each generator and potential, with a curve for each lambda.
/// Writes FOLDER/figureN.csv (generator,dual,lambda,iteration,loss) and draws figureN.png.
void draw_curves(const Figure& figure);

}  // namespace apps
