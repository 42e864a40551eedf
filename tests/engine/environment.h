#pragma once

#include <cstdlib>
#include <string>

/// Has the environment variable set so while it lives, or unset for null.
struct Environment {
  Environment(const char* variable, const char* value) : name(variable) {
    if (const char* old = std::getenv(variable)) before = old, had = true;
    value ? setenv(variable, value, 1) : unsetenv(variable);
  }
  ~Environment() { had ? setenv(name, before.c_str(), 1) : unsetenv(name); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const char* name;
  std::string before;
  bool had = false;
};
