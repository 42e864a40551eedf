#include "data/common_columns.h"

#include "tests/data/files.h"

using data::Column;
using data::Dataset;
using doctest::Contains;
using engine::real;

namespace {

Dataset loaded(const std::string& name, const std::string& text, data::Numbers numbers = data::Numbers::real) {
  TemporaryFolder folder;
  put(folder / name, text);
  Dataset set = data::load(folder / name, 0, 0, numbers);
  set.name = name;
  return set;
}

}  // namespace

TEST_CASE("two tables with other categories get the same coordinates") {
  Dataset a = loaded("a.csv", "n,pet,m\n1,cat,2\n3,eel,4\n"),
          b = loaded("b.csv", "n,pet,m\n5,dog,6\n7,cat,8\n8,cat,9\n");
  const std::vector<Column> columns = data::common_columns(a, b);
  CHECK(columns[1].categories == std::vector<std::string>{"cat", "dog", "eel"});
  data::recode(a, b.name, columns);
  data::recode(b, a.name, columns);
  CHECK(a.dimension == 5);
  CHECK(b.dimension == 5);
  CHECK(a.values == std::vector<real>{1, 1, 0, 0, 2, 3, 0, 0, 1, 4});
  CHECK(b.values == std::vector<real>{5, 0, 1, 0, 6, 7, 1, 0, 0, 8, 8, 1, 0, 0, 9});
  CHECK(a.columns == b.columns);
  const auto before = a.values;
  data::recode(a, b.name, columns);
  CHECK(a.values == before);
}

TEST_CASE("numbers in double are recoded too") {
  Dataset a = loaded("a.csv", "0.1,b\n", data::Numbers::in_double);
  const std::vector<Column> columns{{"n", false}, {"kind", false, {"a", "b"}}};
  data::recode(a, "b.csv", columns);
  CHECK(a.doubles == std::vector<double>{0.1, 0, 1});
  CHECK(a.values.empty());
}

TEST_CASE("two tables are united, and anything else stays as it is") {
  Dataset a = loaded("a.csv", "n,pet\n1,cat\n"), b = loaded("b.csv", "n,pet\n2,dog\n"), array;
  data::unite_columns(a, array);
  CHECK(a.values == std::vector<real>{1, 1});
  data::unite_columns(a, b);
  CHECK(a.values == std::vector<real>{1, 1, 0});
  CHECK(b.values == std::vector<real>{2, 0, 1});
}

TEST_CASE("tables that are not of one kind are refused, each with its reason") {
  const Dataset a = loaded("a.csv", "n,pet\n1,cat\n");
  const auto refusal = [&](const std::string& text) {
    Dataset b = loaded("b.csv", text);
    return error_of([&] { data::recode(b, a.name, a.columns); });
  };
  CHECK(refusal("1,cat\n") == "(no error)");
  CHECK(refusal("n,pet\n1,dog\n") == "b.csv: column 'pet' has 'dog', which a.csv does not have");
  CHECK(refusal("n\n1\n") == "b.csv has 1 columns, a.csv has 2: they must be the same");
  CHECK(refusal("m,pet\n1,cat\n") ==
        "b.csv: column 1 is 'm', that of a.csv is 'n': give both the same columns in the same order");
  CHECK(refusal("n,pet\n1,2\n") == "b.csv: column 'pet' holds numbers, that of a.csv texts: they must be of one kind");
  CHECK(error_of([&] { data::common_columns(a, loaded("b.csv", "1,2\n")); }) ==
        "b.csv: column 2 holds numbers, that of a.csv texts: they must be of one kind");
}
