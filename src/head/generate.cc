// The middle of a request: tokens out of the pipeline, text out of tokens, proofs and the receipt out of both.
#include <algorithm>

#include "chain/contracts.h"
#include "engine/answer.h"
#include "engine/text_stream.h"
#include "head/work.h"
#include "protocol/fields.h"

namespace teetee::head {
namespace {

// What becomes of a token's bytes where they stand alone, as in logprobs.
std::string ShowBytes(const std::string& bytes) {
  auto stream = engine::TextStream::Create();
  std::string text = stream->Push(bytes).text;
  return text + stream->Finish().text;
}

TokenLogprob LogprobOf(const model::Tokenizer& tokenizer, uint32_t id, float logprob) {
  std::string bytes = id < tokenizer.size() ? tokenizer.PieceBytes(id) : std::string();
  return {ShowBytes(bytes), ToBytes(AsBytes(bytes)), logprob, {}};
}

TokenLogprob LogprobOf(const model::Tokenizer& tokenizer, const pipeline::TokenFrame& token) {
  TokenLogprob out = LogprobOf(tokenizer, token.id, token.logprob);
  for (const auto& alternative : token.top) out.top.push_back(LogprobOf(tokenizer, alternative.id, alternative.logprob));
  return out;
}

// Whose prompts may begin with each other's cached pages: who pays.
std::string TenantOf(const protocol::Payment& payment) {
  auto name = [](char kind, const crypto::Address& who) { return kind + std::string(AsText(who)); };
  if (auto* tab = std::get_if<protocol::TabPayment>(&payment)) return name('u', tab->user);
  if (auto* strict = std::get_if<protocol::StrictPayment>(&payment)) return name('u', strict->query.user);
  return name('h', std::get<protocol::FreePayment>(payment).host);
}

}  // namespace

pipeline::SequenceSpec HeadService::SpecOf(const Work& work, uint32_t index) const {
  pipeline::SequenceSpec spec;
  spec.stream = index;
  spec.prompt = work.prompt;
  spec.max_new = work.max_new;
  spec.plan = work.plan;
  for (uint32_t slot = 0; slot < p_.facts.slots; ++slot) {
    Secret<32> key = protocol::ActivationKey(work.secret, slot);
    Hash32 plain;
    std::memcpy(plain.data(), key.data(), plain.size());
    spec.commit.push_back(plain);
  }
  spec.line = p_.ledger.facts().line;
  spec.mode = work.mode;
  spec.query = work.query;
  spec.sampling = {work.wanted.sampler, work.wanted.logprobs, work.wanted.top_logprobs};
  if (work.wanted.cache_prompt) spec.tenant = TenantOf(work.payment);
  spec.cancelled = [answer = work.answer] { return answer->cancelled(); };
  return spec;
}

net::Task<Status> HeadService::Generate(Work& work) {
  work.head = {work.wanted.chat, (work.wanted.chat ? "chatcmpl-" : "cmpl-") + ToHex(work.request.header.request),
               static_cast<int64_t>(std::time(nullptr)), p_.facts.model_name, work.wanted.logprobs};
  work.usage.prompt_tokens = work.prompt.size();
  work.finish = "stop";
  for (uint32_t index = 0; index < work.wanted.choices; ++index) {
    Status done = co_await GenerateChoice(work, index);
    TT_CO_CHECK(done);
    if (work.answer->cancelled()) break;
  }
  if (work.answer->cancelled()) {
    work.finish = "cancel";
    counters_.cancelled += 1;
  }
  co_return Ok{};
}

net::Task<Status> HeadService::GenerateChoice(Work& work, uint32_t index) {
  auto opened = co_await p_.conductor.Open(SpecOf(work, index));
  TT_CO_CHECK(opened);
  pipeline::HeadSequence& sequence = **opened;
  auto made = engine::Answer::Make(p_.tokenizer, {work.max_new, work.wanted.stop, false});
  TT_CO_CHECK(made);
  engine::Answer& answer = *made;
  Choice choice{index, "", "", {}};
  bool first = true;
  std::vector<uint32_t> feed = work.prompt;
  auto emit = [&](Choice delta) {
    choice.text += delta.text;
    for (auto& logprob : delta.logprobs) choice.logprobs.push_back(logprob);
    bool says = first || !delta.text.empty() || !delta.finish_reason.empty() || !delta.logprobs.empty();
    if (!work.wanted.stream || !says) return;
    work.answer->Emit(Json::MakeObject({{"t", "chunk"}, {"data", Chunk(work.head, delta, first)}}));
    first = false;
  };
  while (answer.finish() == engine::FinishReason::kNone && !work.answer->cancelled()) {
    auto token = co_await sequence.Next(std::move(feed));
    const bool stopped = !token && token.error().code() == Code::kCancelled && work.answer->cancelled();
    if (stopped) break;
    TT_CO_CHECK(token);
    if (token->id >= p_.tokenizer.size()) co_return Error(Code::kInternal, "the pipeline sampled an id outside the vocabulary");
    Choice delta{index, answer.Push(token->id), "", {}};
    if (work.wanted.logprobs && !p_.tokenizer.IsEndOfGeneration(token->id)) {
      delta.logprobs.push_back(LogprobOf(p_.tokenizer, *token));
    }
    delta.finish_reason = engine::FinishReasonName(answer.finish());
    choice.finish_reason = delta.finish_reason;
    emit(std::move(delta));
    feed.assign(1, token->id);
  }
  if (answer.finish() == engine::FinishReason::kNone) {  // cancelled: what was held back still belongs to the answer
    choice.finish_reason = "stop";
    emit({index, answer.Finish(engine::FinishReason::kStop), "stop", {}});
  }
  if (answer.finish() == engine::FinishReason::kLength) work.finish = "length";
  const uint64_t tokens = answer.ids().size();
  bool cancelled = work.answer->cancelled();
  auto proofs = co_await sequence.Close(cancelled ? pipeline::CloseReason::kCancel : pipeline::CloseReason::kEnd);
  TT_CO_CHECK(proofs);
  work.usage.completion_tokens += tokens;
  if (index == 0) work.usage.cached_tokens = sequence.cached();
  work.outputs.push_back(choice.text);
  work.choices.push_back(std::move(choice));
  co_return NoteProofs(work, *std::move(proofs), sequence.OwnCommitment(), tokens);
}

Status HeadService::VerifyProof(const Work& work, const pipeline::StageProof& proof) const {
  const std::string where = "slot " + std::to_string(proof.slot);
  chain::CompactSignature signature = protocol::SignatureFrom(proof.work.signature);
  uint8_t slot = static_cast<uint8_t>(proof.slot);
  Status valid = Ok{};
  if (work.mode == pipeline::PayMode::kTab) {
    if (proof.work.kind != pipeline::ProofKind::kWork) return Error(Code::kInternal, where + ": no proof of work");
    chain::WorkMessage message{p_.ledger.facts().line, slot, proof.key, chain::Wei(proof.work.total)};
    valid = chain::VerifyTyped(p_.ledger.domain(), message, proof.key, signature);
  } else if (work.mode == pipeline::PayMode::kStrict) {
    if (proof.work.kind != pipeline::ProofKind::kPart) return Error(Code::kInternal, where + ": no signed part");
    chain::PartMessage message{work.query, slot, proof.key, static_cast<uint32_t>(proof.work.tokens_in),
                               static_cast<uint32_t>(proof.work.tokens_out)};
    valid = chain::VerifyTyped(p_.ledger.domain(), message, proof.key, signature);
  }
  if (!valid) return std::move(valid).error().Context(where);
  return Ok{};
}

Status HeadService::NoteProofs(Work& work, std::vector<pipeline::StageProof> proofs, Hash32 own, uint64_t tokens_out) const {
  StageRecord& mine = work.stages[0];
  mine.claims = p_.claims();
  mine.commitments.insert(mine.commitments.end(), own.begin(), own.end());
  for (const pipeline::StageProof& proof : proofs) {
    TT_RETURN_IF_ERROR(VerifyProof(work, proof));
    uint64_t covered = work.mode == pipeline::PayMode::kStrict ? work.usage.completion_tokens : tokens_out;
    if (work.mode != pipeline::PayMode::kFree && proof.work.tokens_out < covered) {
      return Error(Code::kInternal, "slot " + std::to_string(proof.slot) + " proved fewer tokens than were delivered");
    }
    StageRecord& record = work.stages[proof.slot];
    record.claims = proof.claims;
    record.commitments.insert(record.commitments.end(), proof.work.commitment.begin(), proof.work.commitment.end());
    uint8_t slot = static_cast<uint8_t>(proof.slot);
    chain::CompactSignature signature = protocol::SignatureFrom(proof.work.signature);
    if (work.mode == pipeline::PayMode::kTab) {
      record.work = chain::Work{proof.key, slot, chain::Wei(proof.work.total), signature};
    } else if (work.mode == pipeline::PayMode::kStrict) {
      record.part = chain::Part{proof.key, slot, static_cast<uint32_t>(proof.work.tokens_in),
                                static_cast<uint32_t>(proof.work.tokens_out), signature};
    }
  }
  return Ok{};
}

Result<protocol::ReceiptDocument> HeadService::WriteReceipt(Work& work) const {
  const LineFacts& line = p_.ledger.facts();
  protocol::ReceiptDocument out;
  protocol::Transcript& t = out.transcript;
  attest::Claims claims = p_.claims();
  t.chain_id = line.chain_id;
  t.ledger = line.ledger;
  t.registry = p_.facts.registry;
  t.model = p_.facts.model;
  t.manifest = p_.facts.manifest;
  t.request = work.request.header.request;
  t.plan = work.plan.Hash();
  t.mode = pipeline::PayModeName(work.mode);
  t.block_number = claims.block_number;
  t.block_hash = claims.block_hash;
  t.block_time = claims.block_time;
  t.finish = work.finish;
  for (const auto& [slot, record] : work.stages) {
    Secret<32> key = protocol::ActivationKey(work.secret, slot);
    t.stages.push_back({slot, record.claims.signing_address, record.claims.host, record.claims.weights_root,
                        record.claims.boot_id, crypto::HmacSha256(key.view(), record.commitments)});
    if (record.work) out.work.push_back(*record.work);
    if (record.part) out.parts.push_back(*record.part);
  }
  chain::Receipt& r = out.receipt;
  r.query = work.query;
  r.line = line.line;
  r.input = protocol::CommitInput(work.secret, work.body);
  r.output = protocol::CommitOutput(work.secret, work.outputs);
  // Cancelled before the first token: the stages may not even have seen the whole prompt, and nothing is charged.
  r.tokens_in = work.usage.completion_tokens == 0 ? 0 : static_cast<uint32_t>(work.usage.prompt_tokens);
  r.tokens_out = static_cast<uint32_t>(work.usage.completion_tokens);
  if (work.mode != pipeline::PayMode::kFree) {
    r.cost = chain::CostOf(r.tokens_in, r.tokens_out, line.price_in, line.price_out);
  }
  r.transcript = t.Hash();
  out.signature = chain::SignTyped(p_.ledger.domain(), r, p_.signing_key);
  return out;
}

}  // namespace teetee::head
