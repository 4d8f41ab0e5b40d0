#include <CLI/CLI.hpp>
#include <memory>

#include "apps/teetee/cli.h"
#include "apps/teetee/net_task.h"
#include "apps/teetee/service_commands.h"
#include "base/file.h"
#include "client/bundle.h"

namespace teetee::cli {
namespace {

struct VerifyOptions {
  std::string bundle, trust, rpc;
  bool json = false;
};

net::Task<Result<Ok>> OnChain(net::IoContext& io, const VerifyOptions& o, const client::Bundle& bundle, client::CheckList& checks) {
  chain::Rpc rpc(io.get_executor(), {o.rpc});
  Status checked = co_await client::VerifyOnChain(bundle, rpc, checks);
  co_return checked;
}

void Print(const VerifyOptions& o, const client::Bundle& bundle, const client::CheckList& checks) {
  const auto& t = bundle.receipt.transcript;
  if (o.json) {
    PrintJson(Json::MakeObject({{"valid", checks.passed()},
                                {"as_of_block", t.block_number},
                                {"as_of_time", t.block_time},
                                {"on_chain", !o.rpc.empty()},
                                {"cost", bundle.receipt.receipt.cost.Decimal()},
                                {"checks", checks.ToJson()}}));
    return;
  }
  std::fputs(checks.ToText().c_str(), stdout);
  std::printf("%s as of block %llu (unix time %llu); cost %s\n", checks.passed() ? "VALID" : "NOT VALID",
              static_cast<unsigned long long>(t.block_number), static_cast<unsigned long long>(t.block_time),
              bundle.receipt.receipt.cost.Eth().c_str());
  if (o.rpc.empty()) std::printf("checked offline; with --rpc URL its place on chain is checked too\n");
}

Status Verify(const VerifyOptions& o) {
  client::Bundle bundle = TT_TRY(client::Bundle::Load(o.bundle));
  std::optional<attest::TrustFile> trust;
  if (!o.trust.empty()) trust = TT_TRY(attest::TrustFile::Load(o.trust));
  client::CheckList checks = client::VerifyBundle(bundle, trust ? &*trust : nullptr);
  if (!o.rpc.empty()) {
    auto asked = RunTask<Ok>([&](net::IoContext& io) { return OnChain(io, o, bundle, checks); });
    if (!asked) checks.Add("chain.rpc", false, asked.error().message());
  }
  Print(o, bundle, checks);
  return checks.ToStatus();
}

}  // namespace

void AddVerifyCommand(CLI::App& app) {
  auto o = std::make_shared<VerifyOptions>();
  CLI::App& c = *app.add_subcommand("verify", "checks a receipt bundle: signatures, hashes, evidence, and with --rpc its place on chain");
  c.add_option("bundle", o->bundle, "receipt bundle (teetee proxy stores them)")->required()->check(CLI::ExistingFile);
  c.add_option("--trust", o->trust, "judge by this trust file, not by the one inside the bundle")->check(CLI::ExistingFile);
  c.add_option("--rpc", o->rpc, "JSON-RPC of the chain");
  AddJsonFlag(c, &o->json);
  SetAction(c, [o] { return Verify(*o); });
}

}  // namespace teetee::cli
