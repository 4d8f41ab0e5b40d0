#include "pipeline/local_cluster.h"

#ifdef TEETEE_SIMULATED

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <thread>

#include "attest/provider/simulated.h"
#include "crypto/random.h"
#include "engine/local_pipeline.h"
#include "pipeline/channel_link.h"
#include "pipeline/stage.h"
#include "transport/channel_server.h"

namespace teetee::pipeline {
namespace {

constexpr uint64_t kChainId = 31337;  // the only one that simulated evidence may name
constexpr crypto::Address kRegistry{0xa1}, kLedger{0xa2};

int64_t UnixNow() { return static_cast<int64_t>(std::time(nullptr)); }

// A folder for the root of this run, gone with it.
class Folder {
 public:
  static Result<Folder> Make() {
    std::string pattern = (std::filesystem::temp_directory_path() / "teetee-cluster-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) return Error(Code::kUnavailable, "no temporary folder can be made");
    return Folder(pattern);
  }
  Folder(Folder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<attest::TrustFile> MakeTrust(const Hash32& root, const Hash48& mrtd) {
  Json measurement = Json::MakeObject({{"name", "this executable"}, {"mrtd", ToHex(mrtd)}});
  Json roots = Json::MakeArray(), measurements = Json::MakeArray();
  roots.Push(ToHex(root));
  measurements.Push(std::move(measurement));
  Json trust = Json::MakeObject({{"class", "simulated"},
                                 {"chain_id", kChainId},
                                 {"registry", ToHex0x(kRegistry)},
                                 {"ledger", ToHex0x(kLedger)},
                                 {"roots", std::move(roots)},
                                 {"measurements", std::move(measurements)},
                                 {"models", Json::MakeObject({})}});
  return attest::TrustFile::Parse(trust.Dump());
}

// An event loop with its thread.
class Loop {
 public:
  Loop() : guard_(net::asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}
  ~Loop() { Stop(); }

  net::IoContext& io() { return io_; }
  net::Executor executor() { return io_.get_executor(); }

  // Runs fn on the loop's thread and waits for it.
  void Do(std::function<void()> fn) {
    std::promise<void> done;
    net::asio::post(io_, [&] {
      fn();
      done.set_value();
    });
    done.get_future().wait();
  }
  void Await(net::Task<void> task) {
    std::promise<void> done;
    net::asio::co_spawn(io_, std::move(task), [&](std::exception_ptr) { done.set_value(); });
    done.get_future().wait();
  }

  // Ends the thread and lets what was told to end do so, on the caller's thread.
  void Stop() {
    if (!thread_.joinable()) return;
    guard_.reset();
    io_.stop();
    thread_.join();
    io_.restart();
    io_.run_for(std::chrono::milliseconds(200));
  }

 private:
  net::IoContext io_{1};
  net::asio::executor_work_guard<net::IoContext::executor_type> guard_;
  std::thread thread_;
};

struct Stage {
  Loop loop;
  std::shared_ptr<const crypto::SigningKey> key = std::make_shared<const crypto::SigningKey>(crypto::SigningKey::Generate());
  std::shared_ptr<transport::NodeIdentity> identity;
  std::unique_ptr<Compute> compute;
  std::unique_ptr<ProofBook> proofs;              // slots 1 and up
  std::unique_ptr<StageService> service;          // likewise
  std::unique_ptr<transport::ChannelServer> server;
  std::unique_ptr<Conductor> conductor;           // slot 0
};

// One load at work, on the head's loop.
struct Race {
  Race(const net::Executor& executor, size_t count) : go(executor), left(count), decoding(count) {}
  net::Event go;      // the last sequence has its first token
  size_t left;        // sequences without one
  size_t decoding;    // sequences that are not done
  net::SteadyClock::time_point started = net::SteadyClock::now(), decode_started, ended;
  std::vector<double> busy;
  std::vector<uint64_t> batches;
  std::optional<Error> failed;
};

double Seconds(net::SteadyClock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

struct LocalCluster::State {
  explicit State(LocalClusterOptions o) : options(std::move(o)) {}
  ~State() { Shut(); }

  Status MakeStage(const model::GgufFile& whole, uint32_t slot);
  Status MakeService(Stage& stage, uint32_t slot);
  transport::ChannelContext Channels(const Stage& stage) { return {stage.identity, trust, &pool, {}}; }
  void Shut();
  void Note(std::vector<double>& busy, std::vector<uint64_t>& batches) const;
  net::Task<Status> RunSequence(SequenceSpec spec, uint32_t new_tokens, std::shared_ptr<Race> race, std::vector<uint32_t>* ids);
  net::Task<void> RunAll(ClusterLoad load, std::shared_ptr<Race> race, ClusterRun* out);
  SequenceSpec Spec(const ClusterLoad& load, size_t index) const;

  LocalClusterOptions options;
  protocol::Plan plan;
  std::vector<Hash32> weights;
  std::shared_ptr<attest::EvidenceProvider> provider;
  std::shared_ptr<const attest::TrustFile> trust;
  net::ThreadPool pool{1};
  std::vector<std::unique_ptr<Stage>> stages;
};

Status LocalCluster::State::MakeStage(const model::GgufFile& whole, uint32_t slot) {
  model::ModelConfig config = TT_TRY(model::ModelConfig::From(whole));
  auto shard = TT_TRY(model::Shard::Load(whole, config, options.cut.at(slot), options.isa));
  auto stage = std::make_unique<Stage>();
  attest::Claims claims;
  claims.model = plan.model;
  claims.slot = slot;
  claims.weights_root = weights.at(slot);
  claims.chain_id = kChainId;
  claims.registry = kRegistry;
  claims.host = stage->key->address();
  claims.boot_id = crypto::RandomArray<16>();
  claims.policy_hash = trust->PolicyHash();
  claims.block_number = 1;
  claims.block_hash = crypto::RandomArray<32>();
  claims.block_time = static_cast<uint64_t>(UnixNow());
  stage->identity = TT_TRY(transport::NodeIdentity::Create(claims, stage->key, provider));
  stage->compute = std::make_unique<Compute>(stage->loop.executor(), std::move(shard), options.threads, options.limits);
  std::string address = "none";
  if (slot > 0) {
    TT_RETURN_IF_ERROR(MakeService(*stage, slot));
    address = "127.0.0.1:" + std::to_string(stage->server->port());
  }
  plan.nodes.push_back({slot, stage->key->address(), address, claims.boot_id});
  stages.push_back(std::move(stage));
  return Ok{};
}

Status LocalCluster::State::MakeService(Stage& stage, uint32_t slot) {
  ProofSettings proofs;
  proofs.chain_id = kChainId;
  proofs.ledger = kLedger;
  proofs.slot = static_cast<uint8_t>(slot);
  stage.proofs = std::make_unique<ProofBook>(*stage.key, proofs);
  StageSettings settings;
  settings.model = plan.model;
  settings.slot = slot;
  settings.slots = options.stages;
  settings.key = stage.key->address();
  Status listening = Ok{};
  stage.loop.Do([&] {
    DialFn dial = MakeDialer(Channels(stage), plan.model, weights);
    stage.service = std::make_unique<StageService>(stage.loop.executor(), *stage.compute, settings, *stage.proofs, std::move(dial));
    auto serve = [service = stage.service.get()](std::unique_ptr<transport::Channel> channel) {
      return service->Serve(WrapChannel(std::move(channel)));
    };
    auto server = transport::ChannelServer::Listen(stage.loop.io(), "127.0.0.1:0", Channels(stage), serve);
    if (server) {
      stage.server = *std::move(server);
    } else {
      listening = std::move(server).error();
    }
  });
  return listening;
}

void LocalCluster::State::Shut() {
  if (!stages.empty()) {
    Stage& head = *stages.front();
    head.loop.Do([&] { head.conductor.reset(); });
  }
  for (auto& stage : stages) {
    if (!stage->server) continue;
    stage->loop.Do([&] { stage->service->Close(); });
    stage->loop.Await(stage->server->Stop());
  }
  for (auto& stage : stages) stage->loop.Stop();
  stages.clear();
  pool.join();
}

SequenceSpec LocalCluster::State::Spec(const ClusterLoad& load, size_t index) const {
  SequenceSpec spec;
  spec.stream = index;
  spec.prompt = load.prompts[index];
  spec.max_new = load.new_tokens;
  spec.plan = plan;
  for (uint32_t slot = 0; slot < options.stages; ++slot) spec.commit.push_back(crypto::RandomArray<32>());
  spec.sampling = load.sampling;
  return spec;
}

void LocalCluster::State::Note(std::vector<double>& busy, std::vector<uint64_t>& batches) const {
  for (const auto& stage : stages) {
    const ComputeCounters now = stage->compute->counters();
    busy.push_back(now.busy_seconds);
    batches.push_back(now.batches);
  }
}

net::Task<Status> LocalCluster::State::RunSequence(SequenceSpec spec, uint32_t new_tokens, std::shared_ptr<Race> race,
                                                   std::vector<uint32_t>* ids) {
  std::vector<uint32_t> feed = spec.prompt;
  auto sequence = co_await stages.front()->conductor->Open(std::move(spec));
  TT_CO_CHECK(sequence);
  while (ids->size() < new_tokens) {
    auto token = co_await (*sequence)->Next(std::move(feed));
    TT_CO_CHECK(token);
    ids->push_back(token->id);
    feed.assign(1, token->id);
    if (ids->size() > 1) continue;
    if (--race->left == 0) {
      race->decode_started = net::SteadyClock::now();
      Note(race->busy, race->batches);
      race->go.Set();
    }
    co_await race->go.Wait();
    if (race->failed) co_return *race->failed;
  }
  if (--race->decoding == 0) race->ended = net::SteadyClock::now();
  auto closed = co_await (*sequence)->Close(CloseReason::kEnd);
  TT_CO_CHECK(closed);
  co_return Ok{};
}

net::Task<void> LocalCluster::State::RunAll(ClusterLoad load, std::shared_ptr<Race> race, ClusterRun* out) {
  net::TaskGroup group(stages.front()->loop.executor());
  auto one = [this](SequenceSpec spec, uint32_t n, std::shared_ptr<Race> in, std::vector<uint32_t>* ids) -> net::Task<void> {
    Status done = co_await RunSequence(std::move(spec), n, in, ids);
    if (done) co_return;
    if (!in->failed) in->failed = std::move(done).error();
    in->go.Set();  // nobody waits for what will not come
  };
  for (size_t i = 0; i < load.prompts.size(); ++i) group.Spawn(one(Spec(load, i), load.new_tokens, race, &out->ids[i]));
  co_await group.Join();
}

LocalCluster::LocalCluster(std::unique_ptr<State> state) : state_(std::move(state)) {}
LocalCluster::~LocalCluster() = default;
uint32_t LocalCluster::stages() const { return state_->options.stages; }
const std::vector<model::BlockRange>& LocalCluster::cut() const { return state_->options.cut; }
size_t LocalCluster::weight_bytes(uint32_t stage) const { return state_->stages.at(stage)->compute->shard().weight_bytes(); }

Result<std::unique_ptr<LocalCluster>> LocalCluster::Start(const model::GgufFile& whole, LocalClusterOptions options) {
  model::ModelConfig config = TT_TRY(model::ModelConfig::From(whole));
  if (options.cut.empty()) options.cut = TT_TRY(engine::CutByBytes(whole, config, options.stages));
  if (options.cut.size() != options.stages) return Error(Code::kInvalidArgument, "the cut has another number of ranges than stages");
  Folder folder = TT_TRY(Folder::Make());
  attest::DevPki pki = TT_TRY(attest::DevPki::Create(folder.path(), UnixNow()));
  auto provider = TT_TRY(attest::SimulatedProvider::Open(folder.path()));
  auto state = std::make_unique<State>(std::move(options));
  state->trust = std::make_shared<const attest::TrustFile>(TT_TRY(MakeTrust(pki.RootHash(), provider->mrtd())));
  state->provider = std::move(provider);
  state->plan.model = crypto::RandomArray<32>();
  state->plan.policy = state->trust->PolicyHash();
  for (uint32_t slot = 0; slot < state->options.stages; ++slot) state->weights.push_back(crypto::RandomArray<32>());
  for (uint32_t slot = 0; slot < state->options.stages; ++slot) TT_RETURN_IF_ERROR(state->MakeStage(whole, slot));
  Stage& head = *state->stages.front();
  head.loop.Do([&] {
    DialFn dial = MakeDialer(state->Channels(head), state->plan.model, state->weights);
    head.conductor = std::make_unique<Conductor>(head.loop.executor(), *head.compute, state->options.conductor, std::move(dial));
  });
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(state)));
}

Result<ClusterRun> LocalCluster::Run(ClusterLoad load) {
  if (load.prompts.empty() || load.new_tokens == 0) return Error(Code::kInvalidArgument, "a load of no sequence or no token");
  Loop& loop = state_->stages.front()->loop;
  ClusterRun out;
  out.ids.resize(load.prompts.size());
  std::shared_ptr<Race> race;
  loop.Do([&] { race = std::make_shared<Race>(loop.executor(), load.prompts.size()); });
  loop.Await(state_->RunAll(std::move(load), race, &out));
  std::optional<Error> failed = race->failed;
  if (!failed) {
    out.prefill_seconds = Seconds(race->decode_started - race->started);
    out.decode_seconds = Seconds(race->ended - race->decode_started);
    state_->Note(out.busy_seconds, out.batches);
    for (size_t i = 0; i < out.batches.size(); ++i) {
      out.busy_seconds[i] -= race->busy[i];
      out.batches[i] -= race->batches[i];
    }
  }
  loop.Do([&] { race.reset(); });  // it holds a timer of the loop
  if (failed) return *std::move(failed);
  return out;
}

}  // namespace teetee::pipeline

#endif  // TEETEE_SIMULATED
