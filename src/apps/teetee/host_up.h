// teetee host up: a local node to join with.
#pragma once

namespace CLI {
class App;
}

namespace teetee::cli {

void AddHostUpCommand(CLI::App& host);

}  // namespace teetee::cli
