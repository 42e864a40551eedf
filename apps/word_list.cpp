#include "apps/word_list.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "engine/error.h"

namespace apps {

using engine::require;

std::vector<std::string> words_of(const char* option, const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list + ",");
  for (std::string word; std::getline(stream, word, ',');) {
    require(!word.empty(), "--", option, " must be words with commas between: '", list, "'");
    require(std::ranges::find(words, word) == words.end(), "--", option, " has ", word, " twice: '", list, "'");
    words.push_back(word);
  }
  return words;
}

std::vector<double> reals_of(const char* option, const std::string& list) {
  std::vector<double> numbers;
  for (const std::string& word : words_of(option, list)) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), numbers.emplace_back());
    require(error == std::errc() && end == word.data() + word.size(), "--", option,
            " must be numbers with commas between: '", list, "'");
  }
  return numbers;
}

}  // namespace apps
