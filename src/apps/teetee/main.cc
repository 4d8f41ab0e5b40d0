// teetee: what a person types. This file only wires the commands; each lives in its own file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "apps/teetee/attest_command.h"
#include "apps/teetee/cli.h"
#include "apps/teetee/model_command.h"
#include "apps/teetee/service_commands.h"
#include "base/version.h"

namespace {

int ExitOnParseError(const CLI::App& app, const CLI::ParseError& error) {
  const int cli_code = error.get_exit_code();
  if (cli_code == static_cast<int>(CLI::ExitCodes::Success))
    return app.exit(error);  // --help, --version
  teetee::cli::PrintError(teetee::Error(teetee::Code::kInvalidArgument, error.what()),
                          "see `teetee --help`");
  return teetee::ExitCode(teetee::Code::kInvalidArgument);
}

int Run(int argc, char** argv) {
  CLI::App app("TeeTee: one language model, cut by layers over trusted execution environments.",
               "teetee");
  app.set_version_flag("--version", teetee::VersionLine("teetee"));
  app.require_subcommand(1);
  teetee::cli::AddRunCommand(app);
  teetee::cli::AddTokenizeCommand(app);
  teetee::cli::AddPerplexityCommand(app);
  teetee::cli::AddBenchCommand(app);
  teetee::cli::AddModelCommands(app);
  teetee::cli::AddAttestCommands(app);
  teetee::cli::AddApproveCommand(app);
  teetee::cli::AddAttestServeCommand(app);
  teetee::cli::AddProxyCommand(app);
  teetee::cli::AddWebCommand(app);
  teetee::cli::AddChatCommand(app);
  teetee::cli::AddCreditsCommands(app);
  teetee::cli::AddVerifyCommand(app);
  teetee::cli::AddHostCommands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();  // the command has printed its line
  } catch (const CLI::ParseError& error) {
    return ExitOnParseError(app, error);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s (unexpected)\n", error.what());
    return 1;
  }
}
