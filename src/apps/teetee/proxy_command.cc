#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/service_commands.h"
#include "base/file.h"
#include "base/log.h"
#include "client/proxy.h"
#include "crypto/key_file.h"

namespace teetee::cli {
namespace {

struct ProxyOptions {
  std::string listen = "127.0.0.1:8081", gateway = "http://127.0.0.1:8080", rpc = "http://127.0.0.1:8545";
  std::string trust, key_file, state, pay = "tab", top_up = "0.002";
};

bool IsLoopback(const std::string& address) { return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:"); }

Status RunProxy(const ProxyOptions& o) {
  if (!IsLoopback(o.listen)) {
    return Error(Code::kPermissionDenied, "the proxy speaks plaintext and listens on loopback only (127.0.0.1, ::1)");
  }
  ProtectProcess();
  std::signal(SIGPIPE, SIG_IGN);
  Bytes trust_bytes = TT_TRY(ReadFile(o.trust, 1u << 20));
  std::string trust_text(AsText(trust_bytes));
  attest::TrustFile trust = TT_TRY(attest::TrustFile::Parse(trust_text));
  crypto::SigningKey key = TT_TRY(crypto::LoadSigningKey(o.key_file));
  const std::string bundles = o.state + "/receipts";
  TT_RETURN_IF_ERROR(MakeDirectories(bundles));

  net::IoContext io(1);
  auto executor = io.get_executor();
  chain::Rpc rpc(executor, {o.rpc});
  client::GatewayClient gateway(executor, o.gateway);
  client::WalletSettings wallet_settings;
  wallet_settings.state = o.state;
  wallet_settings.top_up = TT_TRY(chain::Wei::ParseEth(o.top_up));
  auto wallet = TT_TRY(client::Wallet::Open(executor, rpc, trust, std::move(key), wallet_settings));
  client::AskerSettings asker_settings;
  asker_settings.bundles = bundles;
  asker_settings.pay = o.pay == "strict" ? client::PayMode::kStrict : client::PayMode::kTab;
  client::Asker asker(executor, gateway, trust, trust_text, rpc, *wallet, asker_settings);
  asker.FindUnsettled();
  client::Proxy proxy(executor, asker, *wallet, gateway, trust, bundles);
  auto server = TT_TRY(net::HttpServer::Listen(io, o.listen, [&](net::HttpRequest& request, net::HttpReply& reply) { return proxy.Handle(request, reply); }));
  net::TaskGroup tasks(executor);
  tasks.Spawn(wallet->sender().Run(), "sender");
  tasks.Spawn(proxy.FollowProofs(), "proofs");
  if (trust.evidence_class() == attest::EvidenceClass::kSimulated) {
    LogWarn("proxy", "the trust file accepts SIMULATED evidence: nothing here proves confidentiality");
  }
  LogInfo("proxy", "OpenAI API at http://" + o.listen + "/v1, paying as " + crypto::AddressText(wallet->address()) + " by " + o.pay);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) {
    net::Spawn(executor, [](net::HttpServer& s, net::TaskGroup& t, net::IoContext& loop) -> net::Task<void> {
      co_await s.Stop(net::Millis(2000));
      t.Cancel();
      co_await t.Join();
      loop.stop();
    }(*server, tasks, io), "stop");
  });
  io.run();
  return Ok{};
}

}  // namespace

void AddProxyCommand(CLI::App& app) {
  auto o = std::make_shared<ProxyOptions>();
  CLI::App& c = *app.add_subcommand("proxy", "the OpenAI API on loopback: verifies every node, seals, pays, checks receipts");
  c.add_option("--listen", o->listen, "loopback address to serve")->capture_default_str();
  c.add_option("--gateway", o->gateway, "gateway to relay through; it is not trusted")->capture_default_str();
  c.add_option("--rpc", o->rpc, "JSON-RPC of the chain")->capture_default_str();
  c.add_option("--trust", o->trust, "trust file: whom to believe")->required()->check(CLI::ExistingFile);
  c.add_option("--key-file", o->key_file, "file with the key of the account that pays (0600)")->required()->check(CLI::ExistingFile);
  c.add_option("--state", o->state, "folder for session keys, counts and receipts")->required();
  c.add_option("--pay", o->pay, "tab: vouchers by a session key; strict: each query is a transaction")->check(CLI::IsMember({"tab", "strict"}))->capture_default_str();
  c.add_option("--top-up", o->top_up, "ether put into a tab at a time")->capture_default_str();
  SetAction(c, [o] { return RunProxy(*o); });
}

}  // namespace teetee::cli
