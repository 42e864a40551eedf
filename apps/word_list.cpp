#include "apps/word_list.h"

#include <algorithm>
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

}  // namespace apps
