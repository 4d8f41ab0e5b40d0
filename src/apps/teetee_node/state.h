// The parts of a running node. Internal to teetee-node.
#pragma once

#include <ctime>

#include "apps/teetee_node/node.h"
#include "chain/rpc.h"
#include "engine/prompt.h"
#include "head/service.h"
#include "head/settler.h"
#include "pipeline/channel_link.h"
#include "pipeline/stage.h"
#include "transport/channel_server.h"

namespace teetee::node {

struct Node::State {
  State(net::IoContext& loop, Options o, ModelFacts f) : io(loop), options(std::move(o)), facts(std::move(f)), tasks(loop.get_executor()) {}

  net::IoContext& io;
  Options options;
  ModelFacts facts;
  ByteArray<16> boot{};
  std::shared_ptr<const crypto::SigningKey> signing_key;
  std::unique_ptr<crypto::X25519Key> hpke_key;
  std::shared_ptr<attest::EvidenceProvider> provider;
  std::unique_ptr<net::ThreadPool> pool;  // quotes
  std::unique_ptr<chain::Rpc> rpc;
  std::shared_ptr<transport::NodeIdentity> identity;
  std::unique_ptr<pipeline::Compute> compute;
  std::unique_ptr<pipeline::ProofBook> proofs;

  // slots 1 and up
  std::unique_ptr<pipeline::StageService> stage;
  std::unique_ptr<transport::ChannelServer> channels;
  // slot 0
  std::unique_ptr<engine::PromptBuilder> prompts;
  std::unique_ptr<pipeline::Conductor> conductor;
  std::unique_ptr<head::HeadLedger> ledger;
  std::unique_ptr<head::Settler> settler;
  std::unique_ptr<head::HeadService> head;

  std::unique_ptr<net::HttpServer> http;
  net::TaskGroup tasks;
  const int64_t started = std::time(nullptr);  // unix seconds
  bool live = false;            // joined on chain, lease running
  bool chain_reachable = true;
  std::map<Hash32, net::SteadyClock::time_point> lines_read;
  net::SteadyClock::time_point last_join_quote{};
  bool knows_answers = false;  // while known answers are computed again

  bool is_head() const { return facts.slot == 0; }
  uint32_t slots() const { return static_cast<uint32_t>(facts.params.slots.size()); }

  attest::Claims NewClaims(const chain::Block& block) const;
  transport::ChannelContext Channels() const;
  std::vector<Hash32> Weights() const;

  net::Task<void> RefreshClaims();  // hourly
  net::Task<void> WatchChain();     // lease and lines
  net::Task<Status> ReadLine(Hash32 line);
  net::Task<Status> PrepareLine(Hash32 line);
};

// For hosts and auditors who look at a node before they trust it (host_checks.cc).
net::HttpResponse AnswerChallenge(Node::State& state, const net::HttpRequest& request);
net::Task<net::HttpResponse> AnswerKnown(Node::State& state, const net::HttpRequest& request);

// The HTTP interface (http.cc).
net::HttpResponse ErrorResponse(const Error& error);
net::Task<void> HandleHttp(Node::State& state, net::HttpRequest& request, net::HttpReply& reply);

}  // namespace teetee::node
