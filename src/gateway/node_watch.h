// Asks joined nodes every few seconds whether they are there, and for the manifest of a model that
// has none yet. Everything a node says is bounded and checked: it counts as reachable only when it
// names its own key. Threads: one io_context.
#pragma once

#include <map>
#include <set>

#include "gateway/directory.h"
#include "gateway/store.h"
#include "net/egress.h"
#include "net/http_client.h"

namespace teetee::gateway {

struct NodeSettings {
  net::Millis interval{3000};
  net::Millis timeout{3000};  // of one probe
  net::Millis manifest_timeout{20'000};
  net::Millis manifest_retry{5000};  // after one that was wrong or missing
  size_t at_once = 64;               // probes
  net::Egress egress = net::Egress::kPublic;  // where the URLs of nodes may lead
};

class NodeWatch {
 public:
  NodeWatch(const net::Executor& executor, Store& store, Directory& directory,
            NodeSettings settings);

  net::Task<void> Run();   // until cancelled
  net::Task<void> Stop();  // cancels probes and waits for them
  void StartProbes();      // one round
  uint64_t failures() const { return failures_; }

 private:
  net::Task<void> Probe(NodeRecord node);
  net::Task<Result<std::string>> AskHealth(std::string base, Address key);  // the evidence class
  net::Task<Status> AskManifest(std::string base, Address key, Hash32 wanted);

  net::Executor executor_;
  Store& store_;
  Directory& directory_;
  NodeSettings settings_;
  net::HttpClient http_;
  net::TaskGroup probes_;
  std::set<Address> probing_;
  std::map<Address, net::SteadyClock::time_point> manifest_after_;
  uint64_t failures_ = 0;
};

}  // namespace teetee::gateway
