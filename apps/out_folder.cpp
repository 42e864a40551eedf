#include "apps/out_folder.h"

#include <system_error>

#include "engine/error.h"

namespace apps {

void make_out_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  engine::require(!error, "can't make the folder ", folder.string(), ": ", error.message(), "; give another --out");
}

}  // namespace apps
