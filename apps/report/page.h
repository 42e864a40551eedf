#pragma once

#include <string>
#include <string_view>

namespace apps::report {

/// Text for an element or a quoted attribute: & < > " ' become entities, control characters but the space a replacement
/// character.
std::string escaped(std::string_view text);

/// A number as it is shown.
std::string number(double value, int significant_digits = 4);

/// A part of the page: its heading, one line in plain words of what it shows, and its content, which like the line is
/// HTML already.
std::string section(const std::string& id, const std::string& heading, const std::string& line,
                    const std::string& content);

/// A sentence in place of what can't be shown. `why` is plain text.
std::string left_out(const std::string& what, const std::string& why);

/// The whole document around the content of its <main>: the style and the script stand in it, and nothing is loaded.
std::string page(const std::string& title, const std::string& content);

/// The page's style sheet and script.
extern const char* const style;
extern const char* const script;

}  // namespace apps::report
