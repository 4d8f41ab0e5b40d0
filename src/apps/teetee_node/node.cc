#include "apps/teetee_node/node.h"


#include "apps/teetee_node/state.h"
#include "attest/provider/simulated.h"
#include "base/file.h"
#include "base/log.h"
#include "chain/contracts.h"
#include "crypto/key_file.h"
#include "crypto/random.h"

namespace teetee::node {
namespace {

constexpr net::Millis kRefreshEvery{3'600'000};
constexpr net::Millis kRetryEvery{10'000};
constexpr net::Millis kWatchEvery{3'000};
constexpr auto kLineValid = std::chrono::seconds(30);

Result<std::shared_ptr<attest::EvidenceProvider>> OpenProvider(const Options& options) {
#ifdef TEETEE_SIMULATED
  if (!options.dev_pki.empty()) {
    Hash48 config_id{};
    if (!options.compose.empty()) config_id = attest::ComposeConfigId(TT_TRY(ReadFile(options.compose, 1u << 20)));
    auto opened = TT_TRY(attest::SimulatedProvider::Open(options.dev_pki, "/proc/self/exe", config_id, options.simulated_debug));
    return std::shared_ptr<attest::EvidenceProvider>(std::move(opened));
  }
#endif
  return Error(Code::kUnimplemented,
               "no evidence provider: this build makes simulated evidence only, and needs --dev-pki FOLDER");
}

// Waits for the chain: a node may start before it.
net::Task<Result<chain::Block>> FirstBlock(chain::Rpc& rpc, uint64_t chain_id) {
  for (int attempt = 0;; ++attempt) {
    auto id = co_await rpc.ChainId();
    if (id && *id != chain_id) co_return Error(Code::kFailedPrecondition, "the RPC is of chain " + std::to_string(*id) + ", the trust file of " + std::to_string(chain_id));
    auto block = co_await rpc.GetBlock(chain::BlockId::Latest());
    if (id && block && *block) co_return **block;
    if (attempt == 60) co_return Error(Code::kUnavailable, "the chain does not answer at --rpc");
    if (attempt == 0) LogWarn("node", "waiting for the chain");
    co_await net::Sleep(net::Millis(1000));
  }
}

template <class T>
Result<T> RunNow(net::IoContext& io, net::Task<Result<T>> task) {
  std::optional<Result<T>> out;
  net::Spawn(io.get_executor(), [](net::Task<Result<T>> t, std::optional<Result<T>>& to) -> net::Task<void> {
    to = co_await std::move(t);
  }(std::move(task), out), "start");
  while (!out && io.run_one() > 0) {
  }
  io.restart();
  if (!out) return Error(Code::kInternal, "start-up did not finish");
  return *std::move(out);
}

head::LineFacts LineOf(const Node::State& s) {
  head::LineFacts line;
  line.chain_id = s.facts.trust.chain_id();
  line.ledger = s.facts.trust.ledger();
  line.model = s.facts.model;
  line.line = chain::LineOf(s.facts.model, s.signing_key->address());
  line.price_in = s.facts.params.price_in;
  line.price_out = s.facts.params.price_out;
  return line;
}

Status MakeStage(Node::State& s) {
  pipeline::ProofSettings proof;
  proof.chain_id = s.facts.trust.chain_id();
  proof.ledger = s.facts.trust.ledger();
  proof.slot = static_cast<uint8_t>(s.facts.slot);
  proof.price_in = s.facts.params.price_in;
  proof.price_out = s.facts.params.price_out;
  proof.credit_limit = chain::CostOf(10'000'000, 10'000'000, proof.price_in, proof.price_out);
  proof.file = s.options.state + "/proofs.json";
  s.proofs = std::make_unique<pipeline::ProofBook>(*s.signing_key, std::move(proof));
  TT_RETURN_IF_ERROR(s.proofs->Load());
  pipeline::StageSettings stage;
  stage.model = s.facts.model;
  stage.slot = s.facts.slot;
  stage.slots = s.slots();
  stage.key = s.signing_key->address();
  stage.max_positions = static_cast<uint32_t>(s.options.max_context);
  s.stage = std::make_unique<pipeline::StageService>(
      s.io.get_executor(), *s.compute, stage, *s.proofs, pipeline::MakeDialer(s.Channels(), s.facts.model, s.Weights()),
      [&s](Hash32 line) { return s.PrepareLine(line); });
  return Ok{};
}

Status MakeHead(Node::State& s) {
  s.prompts = std::make_unique<engine::PromptBuilder>(TT_TRY(engine::PromptBuilder::Make(*s.facts.tokenizer)));
  s.conductor = std::make_unique<pipeline::Conductor>(s.io.get_executor(), *s.compute, pipeline::ConductorSettings{},
                                                      pipeline::MakeDialer(s.Channels(), s.facts.model, s.Weights()));
  s.ledger = TT_TRY(head::HeadLedger::Open(*s.signing_key, LineOf(s), s.options.state + "/outbox.jsonl"));
  s.settler = std::make_unique<head::Settler>(*s.ledger, *s.rpc, s.facts.trust.ledger());
  head::HeadFacts facts;
  facts.key = s.signing_key->address();
  facts.registry = s.facts.trust.registry();
  facts.boot = s.boot;
  facts.model = s.facts.model;
  facts.manifest = s.facts.params.manifest;
  facts.model_name = s.facts.manifest.name;
  facts.system = s.facts.manifest.system;
  facts.slots = s.slots();
  facts.context = std::min<size_t>(s.options.max_context, s.compute->shard().config().context_length);
  s.head = std::make_unique<head::HeadService>(head::HeadService::Parts{
      s.io.get_executor(), *s.signing_key, *s.hpke_key, facts, [&s] { return s.identity->claims(); }, *s.facts.tokenizer,
      *s.prompts, *s.conductor, *s.ledger, *s.rpc, head::AnswerLogLimits{}});
  return Ok{};
}

// One verified peer. Heads open sequences, the stage before sends rows; nobody else has business here.
net::Task<void> ServeChannel(Node::State& s, std::unique_ptr<transport::Channel> channel) {
  Status right = pipeline::CheckWeights(channel->peer().claims(), s.facts.model, s.Weights());
  if (!right) {
    LogWarn("node", right.error().message());
    co_return;
  }
  co_await s.stage->Serve(pipeline::WrapChannel(std::move(channel)));
}

}  // namespace

attest::Claims Node::State::NewClaims(const chain::Block& block) const {
  attest::Claims claims;
  claims.hpke_key = hpke_key->public_key();
  claims.signing_address = signing_key->address();
  claims.model = facts.model;
  claims.slot = facts.slot;
  claims.weights_root = facts.weights_root;
  claims.chain_id = facts.trust.chain_id();
  claims.registry = facts.trust.registry();
  claims.host = options.host;
  claims.boot_id = boot;
  claims.policy_hash = facts.trust.PolicyHash();
  claims.block_number = block.number;
  claims.block_hash = block.hash;
  claims.block_time = block.timestamp;
  return claims;
}

transport::ChannelContext Node::State::Channels() const {
  return {identity, std::make_shared<const attest::TrustFile>(facts.trust), pool.get(), {}};
}

std::vector<Hash32> Node::State::Weights() const {
  std::vector<Hash32> out;
  for (const chain::Slot& slot : facts.params.slots) out.push_back(slot.weights);
  return out;
}

net::Task<void> Node::State::RefreshClaims() {
  for (net::Millis wait = kRefreshEvery;;) {
    co_await net::Sleep(wait);
    auto block = co_await rpc->GetBlock(chain::BlockId::Latest());
    wait = kRetryEvery;
    if (!block || !*block) continue;
    Status refreshed = co_await identity->Refresh(NewClaims(**block), *pool);
    if (refreshed) {
      wait = kRefreshEvery;
    } else {
      LogError("node", "evidence: " + refreshed.error().message());
    }
  }
}

net::Task<Status> Node::State::ReadLine(Hash32 line) {
  auto account = co_await rpc->Read(facts.trust.ledger(), chain::ledger::AccountOf(line, signing_key->address()));
  TT_CO_CHECK(account);
  proofs->NoteChain(line, *account);
  lines_read[line] = net::SteadyClock::now();
  co_return Ok{};
}

net::Task<Status> Node::State::PrepareLine(Hash32 line) {
  auto found = lines_read.find(line);
  if (found != lines_read.end() && net::SteadyClock::now() - found->second < kLineValid) co_return Ok{};
  Status read = co_await ReadLine(line);
  if (!read) co_return Error(Code::kUnavailable, "this stage cannot ask the chain about the line now");
  co_return Ok{};
}

net::Task<void> Node::State::WatchChain() {
  for (;;) {
    auto is_live = co_await rpc->Read(facts.trust.registry(), chain::registry::IsLive(facts.model, static_cast<uint8_t>(facts.slot), signing_key->address()));
    if (is_live.has_value() != chain_reachable) {
      chain_reachable = is_live.has_value();
      LogWarn("node", chain_reachable ? "the chain answers again" : "the chain does not answer");
    }
    if (is_live && *is_live != live) {
      live = *is_live;
      LogInfo("node", live ? "joined: the lease is running" : "not joined on chain");
    }
    co_await net::Sleep(kWatchEvery);
  }
}

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::Create(net::IoContext& io, Options options, ModelFacts facts) {
  auto s = std::make_unique<State>(io, std::move(options), std::move(facts));
  s->boot = crypto::RandomArray<16>();
  s->signing_key = std::make_shared<const crypto::SigningKey>(TT_TRY(crypto::LoadOrCreateSigningKey(s->options.state + "/node.key")));
  s->hpke_key = std::make_unique<crypto::X25519Key>(crypto::X25519Key::Generate());
  s->provider = TT_TRY(OpenProvider(s->options));
  s->pool = std::make_unique<net::ThreadPool>(1);
  s->rpc = std::make_unique<chain::Rpc>(io.get_executor(), chain::RpcOptions{s->options.rpc});
  chain::Block block = TT_TRY(RunNow(io, FirstBlock(*s->rpc, s->facts.trust.chain_id())));
  s->identity = TT_TRY(transport::NodeIdentity::Create(s->NewClaims(block), s->signing_key, s->provider));
  pipeline::ComputeLimits limits;
  limits.max_sequences = s->options.max_sequences;
  limits.max_kv_bytes = s->options.kv_megabytes << 20;
  s->compute = std::make_unique<pipeline::Compute>(io.get_executor(), std::move(s->facts.shard), s->options.threads, limits);
  TT_RETURN_IF_ERROR(s->is_head() ? MakeHead(*s) : MakeStage(*s));
  return std::unique_ptr<Node>(new Node(std::move(s)));
}

Status Node::Start() {
  State& s = *state_;
  if (!s.is_head()) {
    s.channels = TT_TRY(transport::ChannelServer::Listen(s.io, s.options.channel, s.Channels(), [&s](std::unique_ptr<transport::Channel> channel) {
      return ServeChannel(s, std::move(channel));
    }));
  }
  s.http = TT_TRY(net::HttpServer::Listen(s.io, s.options.listen, [&s](net::HttpRequest& request, net::HttpReply& reply) {
    return HandleHttp(s, request, reply);
  }));
  s.tasks.Spawn(s.RefreshClaims(), "refresh claims");
  s.tasks.Spawn(s.WatchChain(), "watch chain");
  if (s.settler) s.tasks.Spawn(s.settler->Run(), "settler");
  LogInfo("node", "slot " + std::to_string(s.facts.slot) + " of '" + s.facts.manifest.name + "' at " + s.options.listen +
                      ", key " + crypto::AddressText(s.signing_key->address()) + ", evidence: " + std::string(s.provider->kind()));
  return Ok{};
}

net::Task<void> Node::Stop() {
  State& s = *state_;
  LogInfo("node", "stopping");
  co_await s.http->Stop(net::Millis(2000));
  if (s.channels) co_await s.channels->Stop();
  s.tasks.Cancel();
  co_await s.tasks.Join();
}

}  // namespace teetee::node
