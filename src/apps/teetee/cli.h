// What the command files of `teetee` share. Rules of the program: results go to stdout and
// everything else to stderr; each command has --json; an error is one line, lower case, with a
// hint; exit codes come from base/result.h (0 success, 1 unexpected failure, 2.. by error code); no
// secret stands on the command line. A command file has one function AddXxxCommands(CLI::App&),
// declared here and called by main.cc.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace teetee::cli {

void AddRunCommand(CLI::App& app);
void AddTokenizeCommand(CLI::App& app);
void AddPerplexityCommand(CLI::App& app);
void AddBenchCommand(CLI::App& app);

// Runs `action` when `command` was given on the command line; an error ends the program with its
// line and exit code. `action` must own, or share, the option values that it reads: it outlives the
// AddXxx call.
void SetAction(CLI::App& command, std::function<Status()> action);

// Adds --json to `command`; the flag is stored in *json, which must outlive the parse.
void AddJsonFlag(CLI::App& command, bool* json);

void PrintJson(const Json& value);        // one line on stdout
void PrintNote(const std::string& text);  // one line on stderr: "note: ..."
void PrintError(const Error& error, const std::string& hint);

}  // namespace teetee::cli
