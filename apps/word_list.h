#pragma once

#include <string>
#include <vector>

namespace apps {

/// The words of a list with commas between, that an option was given. Throws Error, naming it, for an empty word and
/// one that comes twice.
std::vector<std::string> words_of(const char* option, const std::string& list);
/// The same of numbers. Throws Error, naming the option, for a word that is none.
std::vector<double> reals_of(const char* option, const std::string& list);

}  // namespace apps
