// What this node has proved to have computed: cumulative Work per line (tab mode) and Parts per query (strict mode), signed by the node's
// key. Totals of work never fall, also over restarts: they are written to a file before they leave, and on start the highest of file and
// chain counts. Source: docs/formats/typed-data.md, docs/formats/pipeline.md. Threads: one io_context.
#pragma once

#include <map>
#include <string>

#include "chain/eip712.h"
#include "crypto/secp256k1.h"
#include "pipeline/frames.h"
#include "pipeline/open.h"

namespace teetee::pipeline {

struct ProofSettings {
  uint64_t chain_id = 0;
  crypto::Address ledger{};
  uint8_t slot = 0;
  uint64_t price_in = 0, price_out = 0;  // wei per token
  chain::Wei credit_limit;               // unsettled work with one head; 0: no limit
  std::string file;                      // "" keeps nothing (tests)
};

// Tokens that `positions` computed positions amount to: prompt tokens, and answer tokens that they produced.
struct TokenCount {
  uint64_t in = 0, out = 0;
};
TokenCount CountTokens(uint64_t positions, uint64_t prompt_tokens);

class ProofBook {
 public:
  ProofBook(const crypto::SigningKey& key, ProofSettings settings);

  // Reads the file; entries whose signature is not this key's are refused (kDataLoss).
  Status Load();
  // What the chain says about this key on a line: totals start at least there, and credit counts from `used`.
  void NoteChain(const Hash32& line, const chain::Account& account);
  std::vector<Hash32> lines() const;

  // kResourceExhausted when the head's unsettled work passes the credit limit.
  Status CheckCredit(const Hash32& line) const;
  // Signs what a sequence has done: `proved` of it was counted before.
  Result<WorkFrame> Prove(const OpenFrame& open, uint64_t positions, TokenCount proved);
  // Tokens of an aborted sequence will never be charged: they no longer count against the head's credit, also after a restart.
  void WriteOff(const Hash32& line, TokenCount count);

 private:
  struct Line {
    chain::Wei total, used, written_off;
    chain::CompactSignature signature;
  };
  chain::Wei Cost(TokenCount count) const;
  chain::CompactSignature Sign(const Hash32& line, chain::Wei total) const;
  Result<Line*> AddWork(const Hash32& line, TokenCount added);
  TokenCount AddPart(const Hash32& query, TokenCount added);
  Status Save() const;

  const crypto::SigningKey& key_;
  ProofSettings settings_;
  chain::Domain domain_;
  std::map<Hash32, Line> lines_;
  std::map<Hash32, TokenCount> queries_;  // strict mode, cumulative; bounded
};

}  // namespace teetee::pipeline
