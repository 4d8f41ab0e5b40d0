// The models and nodes that the Registry's events tell of, with what the gateway found out itself:
// manifests and whether nodes answer. Pure bookkeeping, a function of the logs applied since
// Clear(). A node serves every model of its family. The chain's RPC and the nodes are untrusted: a
// model's id must be the hash of its parameters, a manifest must hash to what the model names.
// Threads: one io_context.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/events.h"
#include "chain/model_id.h"

namespace teetee::gateway {

using crypto::Address;

inline constexpr uint64_t kDevelopmentChain = 31337;
inline constexpr size_t kMaxManifest = 8u << 20;  // bytes
inline constexpr size_t kMaxModelName = 128;      // bytes
inline constexpr size_t kMaxNodeEvents = 200;
inline constexpr uint64_t kGrace = 7 * 86'400;    // seconds, the Registry's GRACE

uint64_t ClockNow();  // unix seconds, by this machine

struct ModelRecord {
  Hash32 id{};
  chain::Family family{};
  chain::Model params;
};

struct NodeRecord {
  Address key{}, host{};
  chain::Family family{};
  uint8_t slot = 0;
  Hash32 quote{};      // hash of the evidence that the Registry accepted
  std::string url;     // as on chain
  uint64_t until = 0;  // unix seconds, end of the lease
  bool has_left = false;
};

struct SlotFacts {
  uint64_t first_block = 0, blocks = 0, bytes = 0;  // bytes: of the shard's file
};

struct Manifest {
  std::string text;
  std::string name;
  // Where the text is a whole manifest; else 0 and "".
  uint64_t parameters = 0;
  std::string quantisation;  // the type of most of its bytes
  std::vector<SlotFacts> slots;
};

enum class NodeEventKind : uint8_t { kJoined, kRenewed, kLeft, kUrl };
struct NodeEvent {
  NodeEventKind what = NodeEventKind::kJoined;
  uint64_t block = 0;
  Hash32 tx{};
};

struct LineRecord {
  Hash32 model{};
  Address head{};
};

// What a node's last good answer to a probe said.
struct NodeProbe {
  bool reachable = false;
  int failures = 0;
  std::string evidence_class;
  uint64_t sequences = 0;  // open
  uint64_t last_seen = 0;  // unix seconds; 0: never
};

class Directory {
 public:
  // ---- the chain
  void Clear();  // forgets models and nodes; manifests and probes stay
  // kDataLoss for a log that is not what the Registry can have written; it is then left out.
  Status Apply(const chain::LogEntry& log);
  void NoteBlockTime(uint64_t unix_seconds) { block_time_ = unix_seconds; }
  // Unix seconds by which leases are judged: the newest block's time, or the clock's if that is
  // later (the next block will have it).
  uint64_t Now() const;

  // ---- what nodes say
  // The manifest's SHA-256. kDataLoss unless a model names it; kInvalidArgument unless it is JSON
  // with a usable "name".
  Result<Hash32> AddManifest(std::string text);
  // An answer: of which evidence class. None: it did not answer; two of these in a row make a node
  // unreachable.
  void NoteProbe(const Address& key, std::optional<std::string> evidence_class,
                 uint64_t sequences = 0);

  // ---- reading; pointers hold until the next change
  const std::map<Address, NodeRecord>& nodes() const { return nodes_; }
  std::vector<const ModelRecord*> Models() const;        // in the order of their registration
  std::vector<const ModelRecord*> ListedModels() const;  // those with a manifest
  const ModelRecord* FindModel(const Hash32& id) const;
  // By 0x id, or by name: the first registered model of that name has it.
  const ModelRecord* FindModel(std::string_view id_or_name) const;
  const Manifest* ManifestOf(const ModelRecord& model) const;
  // Its name if FindModel(name) finds it, else its id in hex.
  std::string PublicName(const ModelRecord& model) const;
  std::vector<const ModelRecord*> ModelsOf(const chain::Family& family) const;
  std::vector<const NodeRecord*> NodesOf(const chain::Family& family)
      const;  // by (slot, key), without those that left or have no grace
  const NodeRecord* FindNode(const Address& key) const;
  bool HasLease(const NodeRecord& node) const { return !node.has_left && node.until >= Now(); }
  // What it signed still counts on chain: its lease, or the Registry's GRACE of 7 days after it.
  bool HasGrace(const NodeRecord& node) const { return node.until + kGrace >= Now(); }
  // Its newest kMaxNodeEvents, oldest first.
  const std::vector<NodeEvent>& EventsOf(const Address& key) const;
  // Of a model with a head that joined once.
  std::optional<LineRecord> FindLine(const Hash32& line) const;
  const NodeProbe& ProbeOf(const Address& key) const;
  bool IsReachable(const Address& key) const { return ProbeOf(key).reachable; }
  bool IsLive(const NodeRecord& node) const { return HasLease(node) && IsReachable(node.key); }
  bool IsLive(const ModelRecord& model) const;  // every slot has a live node
  bool IsSimulated() const;                     // some node says that its evidence is
  std::string_view OverallClass()
      const;  // "simulated", "production" or, before any node answered, "unknown"
  std::string EvidenceClass(const Address& key) const {  // "" if unknown
    return ProbeOf(key).evidence_class;
  }
  // The manifest hash that this node should be asked for, if it is not here yet.
  std::optional<Hash32> WantedManifest(const NodeRecord& node) const;

 private:
  Status Take(const chain::ModelAdded& event);
  Status Take(const chain::NodeJoined& event);
  void Note(const Address& key, NodeEventKind what, const chain::LogEntry& log);

  std::map<Hash32, ModelRecord> models_;
  std::vector<Hash32> order_;
  std::multimap<chain::Family, Hash32> by_family_;
  std::map<Address, NodeRecord> nodes_;
  std::map<Hash32, Manifest> manifests_;  // by SHA-256
  std::map<Address, NodeProbe> probes_;
  std::map<Address, std::vector<NodeEvent>> events_;
  std::map<Hash32, LineRecord> lines_;
  uint64_t block_time_ = 0;
};

}  // namespace teetee::gateway
