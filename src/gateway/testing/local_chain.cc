#include "gateway/testing/local_chain.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "chain/eip712.h"
#include "chain/model_id.h"
#include "crypto/key_file.h"

namespace teetee::gateway::testing {
namespace {

constexpr char kAnvil[] = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
constexpr char kArtefact[] = "contracts/out/Ledger.sol/Ledger.json";
// The first account of every development chain; worthless anywhere else.
constexpr char kRichKey[] = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr uint64_t kChainId = 31337;

uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

pid_t StartAnvil(uint16_t port) {
  const std::string text = std::to_string(port);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::execl(kAnvil, kAnvil, "--host", "127.0.0.1", "--port", text.c_str(), "--silent",
          static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

std::string LocalChain::Missing() {
  if (!FileExists(kAnvil)) return "anvil is not installed (npm ci in contracts/)";
  if (!FileExists(kArtefact)) return "the contracts are not built (npx forge build in contracts/)";
  return "";
}

LocalChain::LocalChain(net::IoContext& io, std::string folder)
    : io_(io),
      folder_(std::move(folder)),
      port_(FreePort()),
      key_(*crypto::SigningKey::FromSecret(Secret<32>(*FromHexFixed<32>(kRichKey)))),
      auditor_(crypto::SigningKey::Generate()) {
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  pid_ = StartAnvil(port_);
  rpc_ = std::make_unique<chain::Rpc>(io_.get_executor(), chain::RpcOptions{url_});
}

LocalChain::~LocalChain() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

// Runs before the io_context does.
bool LocalChain::Deploy() {
  const std::string key_file = folder_ + "/rich.key", out = folder_ + "/deployed.json";
  if (!crypto::CreateSecretFile(key_file, key_.secret())) return false;
  const std::string command = "node contracts/tools/deploy.mjs --rpc " + url_ + " --key-file " +
                              key_file + " --auditor " + crypto::AddressText(auditor_.address()) +
                              " --json > " + out + " 2> " + folder_ + "/deploy.log";
  bool deployed = false;
  for (int i = 0; i < 20 && !deployed; ++i) {  // anvil needs a moment
    deployed = std::system(command.c_str()) == 0;
    if (!deployed) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  auto content = ReadFile(out);
  auto json = content ? Json::Parse(AsText(*content)) : Result<Json>(content.error());
  if (!deployed || !json) return false;
  identity_.chain_id = kChainId;
  identity_.registry = *crypto::ParseAddress(*json->GetString("registry"));
  identity_.ledger = *crypto::ParseAddress(*json->GetString("ledger"));
  verifier_ = *crypto::ParseAddress(*json->GetString("verifier"));
  first_block_ = *json->GetUint64("block");
  chain::SenderOptions options;
  options.chain_id = kChainId;
  options.journal_path = folder_ + "/rich.journal";
  auto sender =
      chain::Sender::Open(rpc_.get(), *crypto::SigningKey::FromSecret(key_.secret()), options);
  if (sender) sender_ = *std::move(sender);
  return sender_ != nullptr;
}

net::Task<Status> LocalChain::Send(Address to, chain::Wei value, Bytes data) {
  auto id = sender_->Submit({to, value, std::move(data), "test"});
  TT_CO_CHECK(id);
  for (int i = 0; i < 100; ++i) {
    Status ticked = co_await sender_->Tick();
    TT_CO_CHECK(ticked);
    auto outcome = co_await sender_->Wait(*id, net::Millis(0));
    if (outcome && outcome->state == chain::TxState::kMined) co_return Ok{};
    if (outcome) co_return Error(Code::kFailedPrecondition, outcome->why);
    co_await net::Sleep(net::Millis(20));
  }
  co_return Error(Code::kDeadlineExceeded, "a transaction is not mined");
}

net::Task<Status> LocalChain::AddModel(chain::Model model) {
  co_return co_await Send(identity_.registry, chain::Wei(), chain::registry::AddModel(model));
}

net::Task<Status> LocalChain::Join(chain::Model model, uint8_t slot, Address key, std::string url) {
  const chain::BlockId at = chain::BlockId::Latest();
  auto block = co_await rpc_->GetBlock(at);
  TT_CO_CHECK(block);
  // The newest block's parent: eth_call runs in the newest block, which does not know its own hash.
  const chain::JoinClaim claim{kChainId, identity_.registry,        account(),
                               key,      model.slots[slot].weights, (*block)->parent};
  const chain::Approval approval{model.manifest, chain::JoinReportData(claim),
                                 (*block)->timestamp + 3600};
  const auto signature =
      chain::SignTyped(chain::Domain::Allowlist(kChainId, verifier_), approval, auditor_);
  const Bytes quote = chain::AllowlistQuote(approval.report_data, approval.expires, {signature});
  co_return co_await Send(
      identity_.registry, chain::Wei(),
      chain::registry::Join(chain::ModelId(model), slot, key, url, quote, (*block)->number - 1));
}

net::Task<Result<Json>> LocalChain::Dev(std::string method, Json params) {
  net::HttpClient http(io_.get_executor());
  net::HttpRequestOptions request;
  request.method = "POST";
  request.url = url_;
  request.headers.Add("Content-Type", "application/json");
  request.body = ToBytes(AsBytes(chain::RpcRequestText(1, method, std::move(params))));
  auto response = co_await http.Fetch(std::move(request));
  TT_CO_CHECK(response);
  auto reply = chain::ParseRpcReply(response->text(), 1);
  TT_CO_CHECK(reply);
  if (reply->failure) co_return chain::ErrorOf(*reply->failure);
  co_return std::move(reply->result);
}

}  // namespace teetee::gateway::testing
