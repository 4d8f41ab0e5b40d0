// The confidential request service of the first node: opens sealed requests, admits them against credits before anything is computed, drives
// the pipeline, seals the answer, meters, and writes the receipt. Source: SYSTEM 4, docs/formats/{sealed-request,receipt}.md.
// Threads: one io_context.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "chain/rpc.h"
#include "engine/prompt.h"
#include "head/answer_log.h"
#include "head/ledger.h"
#include "head/openai_request.h"
#include "head/openai_response.h"
#include "pipeline/conductor.h"
#include "protocol/receipt.h"

namespace teetee::head {

// What does not change while the node runs.
struct HeadFacts {
  crypto::Address key{};       // signing key of this node
  crypto::Address registry{};
  ByteArray<16> boot{};
  Hash32 model{}, manifest{};
  std::string model_name;
  std::string system;          // the manifest's default system message
  uint32_t slots = 1;
  size_t context = 2048;       // positions
  uint32_t default_max_tokens = 512;
  uint64_t free_tokens_per_day = 1'000'000;  // per host, in and out
};

// What changes hourly: the newest claims of this node.
using ClaimsFn = std::function<attest::Claims()>;

struct HeadCounters {
  uint64_t requests = 0, refused = 0, unpaid = 0, failed = 0, cancelled = 0, served = 0;
  uint64_t tokens_in = 0, tokens_out = 0;
};

class HeadService {
 public:
  struct Parts {
    net::Executor executor;
    const crypto::SigningKey& signing_key;
    const crypto::X25519Key& hpke_key;
    HeadFacts facts;
    ClaimsFn claims;
    const model::Tokenizer& tokenizer;
    const engine::PromptBuilder& prompts;
    pipeline::Conductor& conductor;
    HeadLedger& ledger;
    chain::Rpc& rpc;
    AnswerLogLimits limits;
  };
  explicit HeadService(Parts parts);

  // Takes a sealed request; the answer streams from what is returned. Errors are unsealed: nothing authenticated was opened.
  Result<std::shared_ptr<Answer>> Accept(ByteView wire, int64_t now);
  // Cancel takes effect at the next token, or chunk of the prompt. Resume returns the answer to stream from `control.from`.
  Result<std::shared_ptr<Answer>> Control(const protocol::Control& control);

  const HeadCounters& counters() const { return counters_; }
  size_t running() const { return log_.running(); }

 private:
  struct Work;  // one request at work
  Status CheckHeader(const protocol::SealedHeader& header, int64_t now) const;
  net::Task<void> Process(std::shared_ptr<Answer> answer, protocol::OpenedRequest request);
  net::Task<Status> Serve(Work& work);
  net::Task<Status> ReleaseTab(Work& work);
  Status ReadContent(Work& work) const;
  Status BuildPrompt(Work& work) const;
  net::Task<Status> Admit(Work& work);
  net::Task<Status> AdmitTab(Work& work, const protocol::TabPayment& payment);
  net::Task<Status> AdmitStrict(Work& work, const protocol::StrictPayment& payment);
  net::Task<Status> AdmitFree(Work& work, const protocol::FreePayment& payment);
  net::Task<Status> Generate(Work& work);
  net::Task<Status> GenerateChoice(Work& work, uint32_t index);
  pipeline::SequenceSpec SpecOf(const Work& work, uint32_t index) const;
  Status NoteProofs(Work& work, std::vector<pipeline::StageProof> proofs, Hash32 own, uint64_t tokens_out) const;
  Status VerifyProof(const Work& work, const pipeline::StageProof& proof) const;
  Result<protocol::ReceiptDocument> WriteReceipt(Work& work) const;
  void EmitError(Work& work, const Error& error);

  Parts p_;
  AnswerLog log_;
  HeadCounters counters_;
  std::set<Hash32> strict_active_;
  struct FreeUse {
    int64_t day = 0;
    uint64_t tokens = 0;
  };
  std::map<crypto::Address, FreeUse> free_use_;
};

}  // namespace teetee::head
