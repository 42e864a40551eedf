#include "apps/report/page.h"

#include <cstdio>

namespace apps::report {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
          html += "\xef\xbf\xbd";
        else
          html += c;
    }
  return html;
}

std::string number(double value, int significant_digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", significant_digits, value);
  return text;
}

std::string section(const std::string& id, const std::string& heading, const std::string& line,
                    const std::string& content) {
  return "<section id=\"" + id + "\">\n<h2>" + escaped(heading) + "</h2>\n<p class=\"line\">" + line + "</p>\n" +
         content + "</section>\n";
}

std::string left_out(const std::string& what, const std::string& why) {
  return "<p class=\"missing\">" + escaped(what) + ": " + escaped(why) + ".</p>\n";
}

std::string page(const std::string& title, const std::string& content) {
  return R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="semidual">
<link rel="icon" href="data:,">
<title>)" +
         escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n" + content +
         "</main>\n<script>" + script + "</script>\n</body>\n</html>\n";
}

}  // namespace apps::report
