#include "data/array_file.h"

#include "data/npy.h"
#include "tests/data/files.h"

using doctest::Contains;
using Shape = std::vector<std::int64_t>;

TEST_CASE("an array is read from a table of numbers as from an array of them, all rows or the first") {
  TemporaryFolder folder;
  put(folder / "a.csv", "x,y\n1,0.1\n2,3\n4,-5e2\n");
  put(folder / "a.tsv.gz", gzipped("1\t0.1\n2\t3\n4\t-5e2\n"));
  const std::vector<double> numbers{1, 0.1, 2, 3, 4, -500};
  data::write_npy<double>(folder / "a.npy", {3, 2}, numbers);
  for (const char* const name : {"a.csv", "a.tsv.gz", "a.npy"}) {
    const data::Array all = data::read_array(folder / name);
    CHECK(all.shape == Shape{3, 2});
    CHECK(all.as<double>() == numbers);
    const data::Array first = data::read_array(folder / name, 2);
    CHECK(first.shape == Shape{2, 2});
    CHECK(first.as<double>() == std::vector<double>{1, 0.1, 2, 3});
  }
  put(folder / "idx", std::string("\0\0\x08\1\0\0\0\2\3\4", 10));
  CHECK(data::read_array(folder / "idx").as<double>() == std::vector<double>{3, 4});
}

TEST_CASE("a table with texts is no array") {
  TemporaryFolder folder;
  put(folder / "a.csv", "x,kind\n1,cat\n2,dog\n");
  CHECK(error_of([&] { data::read_array(folder / "a.csv"); }) ==
        Contains("a.csv: column 'kind' holds texts: give columns of numbers alone"));
  CHECK(error_of([&] { data::read_array(folder / "none.csv"); }) == Contains("none.csv: can't be read"));
}
