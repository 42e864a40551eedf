#include "apps/resources.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/program.h"

using doctest::Contains;

TEST_CASE("what fits the disk may be written, and nothing is") {
  const TemporaryFolder temporary;
  CHECK_NOTHROW(apps::require_writable(temporary / "a/b/c", 1000));
  CHECK(temporary.empty());
  CHECK_THROWS_WITH_AS(apps::require_writable(temporary / "a", 1e18),
                       Contains("it takes up to 1000000000000 MB, the disk"), engine::Error);
}

TEST_CASE("more memory than there is is refused with the remedy") {
  CHECK_NOTHROW(apps::require_memory(1000, "this", "take less"));
  CHECK_THROWS_WITH_AS(apps::require_memory(1e18, "this", "take less"),
                       Contains("this takes about 1000000000000 MB of memory"), engine::Error);
  CHECK_THROWS_WITH_AS(apps::require_memory(1e18, "this", "take less"), Contains("are available: take less"),
                       engine::Error);
}
