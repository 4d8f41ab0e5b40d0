// For tests: a gateway over a stored directory and nodes on loopback; the chain's RPC is not there, which must not matter.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "gateway/gateway.h"
#include "gateway/testing/fixtures.h"
#include "net/http_client.h"
#include "net/testing/run.h"

namespace teetee::gateway::testing {

using net::Task;

inline constexpr char kManifest[] = R"({"name":"tiny","v":1})";
inline const StoreIdentity kIdentity{31337, Address{1}, Address{2}};

class HttpTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "teetee-gateway-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    node_ = std::make_unique<FakeNode>(io_, head_);
    stage_ = std::make_unique<FakeNode>(io_, stage_key_);
    model_ = MakeModel(kManifest, 2, Address{9});
    OpenGateway();
  }
  void TearDown() override {
    Run([](HttpTest* t) -> Task<void> {
      co_await t->gateway_->Stop();
      co_await t->node_->Stop();
      co_await t->stage_->Stop();
    }(this));
    gateway_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void OpenGateway() {
    Seed();
    GatewaySettings s = settings_;
    s.listen = "127.0.0.1:0";
    s.rpc_url = "http://127.0.0.1:1";
    s.identity = kIdentity;
    s.state = folder_;
    s.nodes.interval = net::Millis(30);
    s.nodes.manifest_retry = net::Millis(50);
    std::filesystem::remove(folder_ + "/sender.journal");  // of another key, when a test opens again
    auto opened = Gateway::Open(io_, crypto::SigningKey::Generate(), s);
    ASSERT_TRUE(opened) << opened.error().message();
    gateway_ = *std::move(opened);
    gateway_->Start();
  }
  // A state folder as an earlier run would have left it.
  void Seed() {
    auto store = *Store::Open(folder_ + "/gateway.db", kIdentity);
    const uint64_t until = Directory().Now() + 3600;
    ChainChange change;
    change.registry_logs = {ModelAddedLog(model_, 1),
                            NodeJoinedLog(model_, 0, head_, node_->url(), until, 2),
                            NodeJoinedLog(model_, 1, stage_key_, stage_->url(), until, 2),
                            NodeJoinedLog(model_, 0, dead_, "http://127.0.0.1:1", until, 2)};
    ASSERT_TRUE(store->Apply(change));
    const std::string cursor =
        R"({"v":1,"points":[{"number":2,"hash":")" + ToHex0x(Hash32{2}) + "\"}]}";
    ASSERT_TRUE(WriteFileAtomic(folder_ + "/cursor.json", AsBytes(cursor)));
  }

  void Run(Task<void> task) { net::testing::RunTask(io_, std::move(task)); }
  std::string Url(std::string path) const {
    return "http://127.0.0.1:" + std::to_string(gateway_->port()) + path;
  }
  net::HttpRequestOptions Request(std::string method, std::string path, Bytes body = {}) const {
    net::HttpRequestOptions out;
    out.method = std::move(method);
    out.url = Url(std::move(path));
    out.body = std::move(body);
    return out;
  }
  Task<net::HttpResponse> Fetch(net::HttpRequestOptions options) {
    auto response = co_await http_.Fetch(std::move(options));
    if (!response) {
      ADD_FAILURE() << response.error().message();
      co_return net::HttpResponse{};
    }
    co_return *std::move(response);
  }
  Task<void> HeadIsLive() {
    for (int i = 0; i < 200 && !gateway_->directory().IsReachable(head_); ++i)
      co_await net::Sleep(net::Millis(10));
    EXPECT_TRUE(gateway_->directory().IsReachable(head_));
  }
  Bytes Wire() const { return SealedWire(head_, chain::ModelId(model_)); }
  static std::string Message(const net::HttpResponse& response) {
    auto json = Json::Parse(response.text());
    return json && json->Find("error") != nullptr
               ? json->Find("error")->GetString("message").has_value()
                     ? *json->Find("error")->GetString("message")
                     : "no message"
               : "no error object";
  }

  GatewaySettings settings_;  // what a test changes before OpenGateway
  const Address head_{0xa1}, stage_key_{0xa2}, dead_{0xa3};
  net::IoContext io_{1};
  net::HttpClient http_{io_.get_executor()};
  std::string folder_;
  std::unique_ptr<FakeNode> node_, stage_;
  chain::Model model_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace teetee::gateway::testing
