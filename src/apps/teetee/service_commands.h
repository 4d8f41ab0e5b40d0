// Commands that talk to the network: proxy, web, chat, balance, credits, verify, host, attest approve. Registered by main.cc.
#pragma once

namespace CLI {
class App;
}

namespace teetee::cli {

void AddProxyCommand(CLI::App& app);
void AddWebCommand(CLI::App& app);
void AddChatCommand(CLI::App& app);
void AddCreditsCommands(CLI::App& app);  // balance, credits buy | withdraw | close
void AddVerifyCommand(CLI::App& app);
void AddHostCommands(CLI::App& app);     // host request | join | withdraw
void AddApproveCommand(CLI::App& app);   // attest approve; REQUIRES, also below: attest was added
void AddAttestServeCommand(CLI::App& app);

}  // namespace teetee::cli
