#include "apps/report/page.h"

#include <doctest/doctest.h>

using namespace apps::report;

TEST_CASE("text is escaped in elements and attributes") {
  CHECK(escaped("<data>&\"'") == "&lt;data&gt;&amp;&quot;&#39;");
  CHECK(escaped("λ = 0, ψ") == "λ = 0, ψ");
  CHECK(escaped(std::string("a\0b\nc\x7f", 6)) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd"
        "c\xef\xbf\xbd");
}

TEST_CASE("numbers have so many significant digits") {
  CHECK(number(0.123456) == "0.1235");
  CHECK(number(60000) == "6e+04");
  CHECK(number(-1.3) == "-1.3");
  CHECK(number(0.123456, 2) == "0.12");
}

TEST_CASE("a page escapes its title and lets nothing be loaded") {
  const std::string html = page("a <b>", "<p>content</p>");
  CHECK(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  CHECK(html.find("<title>a &lt;b&gt;</title>") != html.npos);
  CHECK(html.find("default-src 'none'") != html.npos);
  CHECK(html.find("http:") == html.npos);
  CHECK(html.find("https:") == html.npos);
}
