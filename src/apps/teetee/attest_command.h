// teetee attest: look at evidence and judge it, offline.
#pragma once

namespace CLI {
class App;
}

namespace teetee::cli {

void AddAttestCommands(CLI::App& app);

}  // namespace teetee::cli
