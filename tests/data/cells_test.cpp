#include "data/cells.h"

#include <cmath>

#include "tests/data/files.h"

using data::Cells;
using doctest::Contains;
using Row = std::vector<std::string>;

namespace {

Cells cells_of(const std::string& text, std::int64_t first = 0) {
  TemporaryFolder folder;
  put(folder / "t.csv", text);
  return data::read_cells(folder / "t.csv", first);
}

std::vector<Row> rows_of(const std::string& text, std::int64_t first = 0) {
  const Cells cells = cells_of(text, first);
  std::vector<Row> rows;
  for (std::int64_t r = 0; r < cells.rows(); ++r) {
    rows.emplace_back();
    for (std::int64_t c = 0; c < cells.columns; ++c) rows.back().emplace_back(cells(r, c));
  }
  return rows;
}

doctest::String refusal(const std::string& text) {
  return error_of([&] { cells_of(text); });
}

}  // namespace

TEST_CASE("a table is the same with any separator, line end, quotes, blanks and byte-order mark, and gzipped") {
  const std::vector<Row> rows{{"a", "b b"}, {"1", "-2.5"}};
  for (const char* const text : {"a,b b\n1,-2.5\n", "a;b b\n1;-2.5", "a\tb b\r\n1\t-2.5\r\n", "a,b b\r1,-2.5\r",
                                 "\n\na , b b \n\n 1,\t-2.5\n  \n", "\xef\xbb\xbf\"a\",\"b b\"\n\"1\", \"-2.5\" \n"}) {
    INFO(text);
    CHECK(rows_of(text) == rows);
    CHECK(rows_of(gzipped(text)) == rows);
    CHECK(rows_of(text, 1) == std::vector<Row>{rows[0]});
    CHECK(rows_of(text, 5) == rows);
  }
  CHECK(rows_of("").empty());
  CHECK(rows_of(" \n").empty());
}

TEST_CASE("quoted cells hold separators, line ends and quotes, and other cells may hold quotes") {
  CHECK(rows_of("\"a,\"\"b\"\"\r\nc\",5\"\n\"\",\n") == std::vector<Row>{{"a,\"b\"\r\nc", "5\""}, {"", ""}});
  CHECK(rows_of("\"a;b\",c\nd,e\n") == std::vector<Row>{{"a;b", "c"}, {"d", "e"}});
}

TEST_CASE("tabs separate before semicolons, those before commas, and spaces between numbers alone") {
  CHECK(rows_of("1,5;2\n3;4\n") == std::vector<Row>{{"1,5", "2"}, {"3", "4"}});
  CHECK(rows_of("a;b,c\td\n1\t2\n") == std::vector<Row>{{"a;b,c", "d"}, {"1", "2"}});
  CHECK(rows_of(" 1.0e+00   2 \n3 4\n") == std::vector<Row>{{"1.0e+00", "2"}, {"3", "4"}});  // numpy.savetxt
  CHECK(rows_of("New York\nRome\n") == std::vector<Row>{{"New York"}, {"Rome"}});
}

TEST_CASE("empty lines count among the rows' numbers") {
  CHECK(cells_of("a\n\n1\n2\n").row_number == std::vector<std::int64_t>{1, 3, 4});
}

TEST_CASE("numbers are told from texts, and from what is missing") {
  CHECK(data::number_in("-1.5e3") == -1500);
  CHECK(data::number_in("+7") == 7);
  CHECK(std::isinf(*data::number_in("1e999")));
  CHECK(std::isinf(*data::number_in("inf")));
  for (const char* const text : {"", "x", "1x", "1 2", "1,5", "+-1", "--1", "0x10"}) CHECK(!data::number_in(text));
  for (const char* const text : {"", "NA", "n/a", "#N/A", "NaN", "null", "NULL", "?"}) CHECK(data::is_missing(text));
  for (const char* const text : {"0", "none", "-", "nasal"}) CHECK(!data::is_missing(text));
}

TEST_CASE("what is no table is refused, with the row") {
  CHECK(refusal("a,b\n1,2\n\n3\n") == Contains("t.csv: row 4 has 1 cells, row 1 has 2"));
  CHECK(refusal("a,b\n1,2,3\n") == Contains("t.csv: row 2 has 3 cells, row 1 has 2"));
  CHECK(refusal("a\n\"b\nc\n") == Contains("t.csv: row 2: a quote is opened and not closed"));
  CHECK(refusal("a,b\n\"c\"d,e\n") == Contains("t.csv: row 2: a cell goes on after its closing quote: \"c\"d"));
  CHECK(refusal("a,b\n1,caf\xe9\n") == Contains("t.csv: row 2, column 2: is no UTF-8 text; save the file as UTF-8"));
  CHECK(refusal("\xff\xfe"
                "a") == Contains("t.csv: is UTF-16; save it as UTF-8"));
  CHECK(refusal(std::string("a\0b", 3)) == Contains("t.csv: is no text, it holds zero bytes"));
  CHECK(error_of([] { data::read_cells("no such.csv"); }) == Contains("no such.csv"));
}
