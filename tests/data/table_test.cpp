#include "data/table.h"

#include "data/dataset.h"
#include "tests/data/files.h"

using data::Column;
using data::Table;
using doctest::Contains;
using Columns = std::vector<Column>;
using Values = std::vector<double>;

namespace {

Table table_of(const std::string& text, std::int64_t first = 0) {
  TemporaryFolder folder;
  put(folder / "t.csv", text);
  return data::read_table(folder / "t.csv", first);
}

doctest::String refusal(const std::string& text) {
  return error_of([&] { table_of(text); });
}

std::string written(const Columns& columns, const std::vector<float>& values, const char* name = "t.csv") {
  TemporaryFolder folder;
  data::write_table(folder / name, columns, values);
  return get(folder / name);
}

const Columns penguin_columns{{"species", false, {"Adelie", "Gentoo"}}, {"bill, mm", false}, {"year", true}};

}  // namespace

TEST_CASE("numbers are coordinates, texts are one coordinate for each category, in the order of the alphabet") {
  const Table table = table_of("species,\"bill, mm\",year\nGentoo,46.5,2008\nAdelie,39,-2007\n");
  CHECK(table.columns == penguin_columns);
  CHECK(table.rows == 2);
  CHECK(table.values == Values{0, 1, 46.5, 2008, 1, 0, 39, -2007});
  CHECK(data::width_of(table.columns) == 4);
  CHECK(table.left_out.empty());
}

TEST_CASE("a header is a first row of text above numbers") {
  CHECK(table_of("a,b\n1,2\n").columns == Columns{{"a", true}, {"b", true}});
  CHECK(table_of("1,2\n3,4.0\n").columns == Columns{{"", true}, {"", false}});
  CHECK(table_of("1,x\n3,y\n").columns == Columns{{"", true}, {"", false, {"x", "y"}}});
  CHECK(table_of("1990,country\n3,y\n4,y\n").rows == 3);  // the first row is a row like any other
  CHECK(table_of("a,1990\n3,4\n").columns == Columns{{"a", true}, {"1990", true}});
  CHECK(table_of("7\n").values == Values{7});
}

TEST_CASE("a table of texts alone has a header if no cell of its first row comes again") {
  CHECK(table_of("pet,size\ncat,small\ndog,large\n").columns ==
        Columns{{"pet", false, {"cat", "dog"}}, {"size", false, {"large", "small"}}});
  CHECK(table_of("cat,small\ndog,large\ncat,large\n").rows == 3);
  CHECK(table_of("cat\n").rows == 1);
}

TEST_CASE("the first rows alone are read, below the header") {
  CHECK(table_of("a\n1\n2\nx\n", 2).values == Values{1, 2});
  CHECK(table_of("1\n2\nx\n", 2).values == Values{1, 2});
  CHECK(table_of("1\n2\n", 5).values == Values{1, 2});
}

TEST_CASE("row numbers, which pandas and R write without a name, are left out") {
  const Table pandas = table_of(",x,y\n0,7,8\n1,9,7\n");
  CHECK(pandas.columns == Columns{{"x", true}, {"y", true}});
  CHECK(pandas.values == Values{7, 8, 9, 7});
  CHECK(pandas.left_out == "its first column, which counts the rows");
  CHECK(table_of("\"\",\"x\"\n\"1\",0.5\n\"2\",1.5\n").values == Values{0.5, 1.5});
  CHECK(table_of(",x\n3,7\n5,9\n").columns.size() == 2);
  CHECK(table_of("x,y\n0,7\n1,9\n").columns.size() == 2);
}

TEST_CASE("tables that are no points are refused, with the row, the column and the remedy") {
  for (const char* const missing : {"", "NA", "?", "NaN"})
    CHECK(refusal(engine::text("m,s\n1,a\n", missing, ",b\n")) == Contains("t.csv: row 3, column 'm' is missing"));
  CHECK(refusal("1,a\n2,\n") == Contains("t.csv: row 2, column 2 is missing: fill it in, or leave out the row"));
  CHECK(refusal("1,a\n2,NA\n") == Contains("column 2 is missing ('NA'): fill it in"));
  CHECK(refusal("m\n1\n2\nx\n") == Contains("t.csv: row 4, column 'm' is 'x', no number, but that of row 2 is '1': a "
                                            "column must hold numbers alone, or texts alone"));
  CHECK(refusal("m,n\na,1\n7,2\n") == Contains("row 3, column 'm' is '7', a number, but that of row 2 is 'a'"));
  CHECK(refusal("m;n\n1,5;1\n") == Contains("row 2, column 'm' is '1,5': write numbers with a decimal point"));
  CHECK(refusal("m\n1\n-inf\n") == Contains("row 3, column 'm' is -inf; all must be finite"));
  CHECK(refusal("m\n1\n1e400\n") == Contains("row 3, column 'm' is 1e400; all must be finite"));
  CHECK(refusal("") == Contains("t.csv: holds no rows"));
  std::string many = "n,day\n";
  for (int i = 0; i < 51; ++i) many += engine::text(i, ",day ", i, "\n");
  CHECK(refusal(many) == Contains("t.csv: column 'day' has more than 50 different texts, such as 'day 50' in row 52: "
                                  "leave out the column, or write numbers"));
}

TEST_CASE("points are written as the table that they come from") {
  CHECK(written(penguin_columns, {0.2F, 0.7F, 46.25F, 2007.6F, 0.5F, 0.5F, 1e-7F, -0.4F}) ==
        "species,\"bill, mm\",year\nGentoo,46.25,2008\nAdelie,1e-07,0\n");
  CHECK(written({{"", false}, {"", true}}, {0.1F, 3e9F}) == "0.1,3000000000\n");
  CHECK(written({{"a", true}, {"b c", true}}, {1, 2}, "t.tsv") == "a\tb c\n1\t2\n");
  CHECK(written({{"say \"x\"", true}, {" b", true}}, {}) == "\"say \"\"x\"\"\",\" b\"\n");
  CHECK(error_of([] {
          data::write_table("no such folder/t.csv", Columns{{"a", true}}, std::vector<float>{1});
        }) == Contains("no such folder/t.csv"));
}

TEST_CASE("what is written is read back") {
  for (const char* const name : {"t.csv", "t.tsv"}) {
    TemporaryFolder folder;
    const Columns columns{{"a,\"b\"\n", false}, {"kind", false, {"x\ty", "z;"}}, {"n", true}};
    data::write_table(folder / name, columns, std::vector<float>{0.1F, 0, 1, -3, 2.5F, 1, 0, 12});
    const Table table = data::read_table(folder / name);
    CHECK(table.columns == columns);
    CHECK(table.values == Values{0.1, 0, 1, -3, 2.5, 1, 0, 12});
  }
}

TEST_CASE("tables are told by their names and loaded as points, in real or in double") {
  for (const char* const name : {"a.csv", "A.CSV", "a.tsv.gz"}) CHECK(data::is_table(name));
  for (const char* const name : {"a.npy", "csv", "a.csv.npy"}) CHECK(!data::is_table(name));
  TemporaryFolder folder;
  put(folder / "t.csv.gz", gzipped("x,kind\n0.1,b\n0.2,a\n"));
  const data::Dataset set = data::load(folder / "t.csv.gz", 0, 0);
  CHECK(set.count == 2);
  CHECK(set.dimension == 3);
  CHECK(set.channels == 0);
  CHECK(set.values == std::vector<engine::real>{engine::real(0.1), 0, 1, engine::real(0.2), 1, 0});
  CHECK(set.columns == Columns{{"x", false}, {"kind", false, {"a", "b"}}});
  CHECK(data::load(folder / "t.csv.gz", 1, 0, data::Numbers::in_double).doubles == Values{0.1, 1});
  CHECK(error_of([&] { data::load(folder / "t.csv.gz", 3, 0); }) == Contains("holds only 2 points, not 3"));
  put(folder / "big.csv", "1e300\n");
  CHECK(data::load(folder / "big.csv", 0, 0, data::Numbers::in_double).doubles == Values{1e300});
}

TEST_CASE("a table that is cut off is none, or has the rows that are left") {
  TemporaryFolder folder;
  const std::string path = folder / "t.csv", text = "a,\"b\"\n1,\"x\"\n2,\"y\"\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    INFO("the first ", size, " of ", text.size(), " bytes");
    put(path, text.substr(0, size));
    const std::string message = error_of([&] {
                                  const Table table = data::read_table(path);
                                  CHECK(table.rows <= std::ranges::count(text.substr(0, size), '\n') + 1);
                                  CHECK(std::ssize(table.values) == table.rows * data::width_of(table.columns));
                                }).c_str();
    CHECK((message == "(no error)" || message.find(path) == 0));
  }
}

TEST_CASE("a bit that flips in a table makes it another of whole rows, or none; gzip tells") {
  TemporaryFolder folder;
  const std::string path = folder / "t.csv", text = "a,\"b\"\n1,\"x\"\n2,\"y\"\n";
  const auto is_whole = [&] {
    const Table table = data::read_table(path);
    return std::ssize(table.values) == table.rows * data::width_of(table.columns) ? "whole" : "torn";
  };
  CHECK(check_flips(path, text, is_whole, [](const auto&) { return "whole"; }) > 0);
  const auto rows_in_words = [&] {
    std::string words;
    for (const double value : data::read_table(path).values) words += engine::text(value, ' ');
    return words;
  };
  check_prefixes_refused(path, gzipped(text), rows_in_words);
  check_flips(path, gzipped(text), rows_in_words, [](const auto&) { return "1 1 0 2 0 1 "; });
}
