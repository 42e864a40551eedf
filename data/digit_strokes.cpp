#include "data/digit_strokes.h"

#include <array>
#include <cassert>
#include <sstream>
#include <string>

namespace data {

namespace {

struct Row {
  int digit;
  double share;
  const char* path;  // "x,y" knots; "!" after a corner; ";" lifts the pen
};

constexpr Row rows[] = {
    {0, 0.4, "60,3 44,0 22,16 14,52 26,88 50,100 76,86 86,50 78,18 58,2 42,5"},
    {0, 0.3, "56,4 34,10 20,42 22,78 42,99 66,90 80,54 74,18 54,3"},
    {0, 0.3, "40,6 60,0 82,20 88,54 72,92 46,100 22,82 14,46 24,14 46,2"},
    {1, 0.55, "52,0 51,50 50,100"},
    {1, 0.3, "32,22 54,0! 52,50 51,100"},
    {1, 0.15, "34,20 52,0! 51,100 ; 28,100 74,99"},
    {2, 0.35, "18,24 28,6 52,0 76,14 76,36 56,62 16,98! 50,97 86,98"},
    {2, 0.4, "18,22 34,3 60,2 75,20 69,46 46,76 24,95 12,92 17,81 36,83 62,96 88,92"},
    {2, 0.25, "16,26 30,5 55,0 74,12 73,34 54,62 20,96! 38,88 60,98 88,90"},
    {3, 0.5, "20,10 46,0 74,10 74,32 44,46! 76,56 82,78 56,99 18,90"},
    {3, 0.25, "22,12 48,0 72,12 68,34 48,47 38,46 44,41 70,54 80,76 60,98 20,92"},
    {3, 0.25, "20,3! 76,4! 44,42! 74,50 82,74 60,97 18,92"},
    {4, 0.4, "24,4 20,34 24,54 50,56 82,50 ; 72,2 68,50 64,100"},
    {4, 0.3, "62,2! 14,64! 88,62 ; 63,1 62,50 61,100"},
    {4, 0.3, "30,2 20,50! 48,54 84,50 ; 74,14 68,56 66,100"},
    {5, 0.4, "78,2! 30,4! 24,44! 52,38 80,54 78,82 48,100 16,90"},
    {5, 0.35, "30,4! 24,46! 54,38 80,56 76,86 46,100 14,90 ; 30,5 84,0"},
    {5, 0.25, "82,6 56,3 36,8 28,42! 54,42 78,60 72,88 44,100 16,92"},
    {6, 0.4, "66,0 40,18 22,52 24,84 48,100 72,88 74,66 54,52 32,60 22,78"},
    {6, 0.35, "56,0 30,36 20,72 36,98 62,96 76,76 62,58 38,64 24,84"},
    {6, 0.25, "80,6 58,2 34,22 20,58 28,90 54,100 76,84 72,60 48,54 24,72"},
    {7, 0.4, "14,6! 84,4! 62,40 42,100"},
    {7, 0.3, "14,8! 84,5! 62,44 46,100 ; 34,52 78,50"},
    {7, 0.3, "16,24 18,6! 50,8 86,3! 66,42 52,100"},
    {8, 0.5, "72,12 50,0 26,14 32,36 58,53 78,76 54,100 24,82 36,58 62,40 74,16 62,3"},
    {8, 0.3, "50,46 28,34 26,12 50,0 74,12 72,34 50,46 24,62 22,86 50,100 78,86 76,62 50,46"},
    {8, 0.2, "78,6 52,2 30,16 38,38 62,56 72,80 50,99 28,82 40,56 66,34 80,8"},
    {9, 0.4, "74,20 54,2 26,12 22,38 44,52 68,40 76,16! 74,54 68,100"},
    {9, 0.25, "74,14 48,0 22,20 28,46 54,48 72,26 76,12! 78,56 64,92 30,98"},
    {9, 0.35, "72,12 44,2 22,24 34,48 60,42 74,14 72,60 62,100"},
};

std::vector<std::vector<Knot>> parse(const char* path) {
  std::vector<std::vector<Knot>> strokes(1);
  std::istringstream words(path);
  words.exceptions(std::ios::badbit);  // want of memory would otherwise come out as the end
  for (std::string word; words >> word;) {
    if (word == ";") {
      strokes.emplace_back();
      continue;
    }
    std::istringstream numbers(word);
    numbers.exceptions(std::ios::badbit);
    Knot knot;
    char comma = 0, mark = 0;
    numbers >> knot.x >> comma >> knot.y;
    assert(numbers && comma == ',');
    knot.corner = numbers >> mark && mark == '!';
    strokes.back().push_back(knot);
  }
  return strokes;
}

}  // namespace

const std::vector<DigitShape>& digit_shapes(int digit) {
  static const auto shapes = [] {
    std::array<std::vector<DigitShape>, 10> table;
    for (const Row& row : rows) table[static_cast<std::size_t>(row.digit)].push_back({row.share, parse(row.path)});
    return table;
  }();
  return shapes[static_cast<std::size_t>(digit)];
}

}  // namespace data
