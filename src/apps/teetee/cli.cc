#include "apps/teetee/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>

namespace teetee::cli {
namespace {

// "teetee model split" for a nested command.
std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

void PrintError(const Error& error, const std::string& hint) {
  std::fflush(stdout);
  const std::string name(CodeName(error.code()));
  std::fprintf(stderr, "error: %s (%s; %s)\n", OneLine(error.message()).c_str(), name.c_str(),
               hint.c_str());
}

void PrintNote(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "note: %s\n", OneLine(text).c_str());
}

void PrintJson(const Json& value) {
  std::fputs((value.Dump() + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void SetAction(CLI::App& command, std::function<Status()> action) {
  command.callback([&command, action = std::move(action)] {
    Status status = action();
    if (status) return;
    PrintError(status.error(), "see `" + FullName(command) + " --help`");
    throw CLI::RuntimeError(ExitCode(status.error().code()));
  });
}

void AddJsonFlag(CLI::App& command, bool* json) {
  command.add_flag("--json", *json, "print the result as one line of JSON");
}

}  // namespace teetee::cli
