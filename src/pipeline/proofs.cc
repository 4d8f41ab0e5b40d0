#include "pipeline/proofs.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "protocol/fields.h"

namespace teetee::pipeline {
namespace {

constexpr size_t kMaxQueries = 1u << 16;
constexpr size_t kMaxBookBytes = 16u << 20;

chain::Wei Sum(chain::Wei a, chain::Wei b) {
  auto sum = a.Plus(b);
  return sum ? *sum : a;  // beyond 2^128 wei nothing is owed that exists
}

}  // namespace

TokenCount CountTokens(uint64_t positions, uint64_t prompt_tokens) {
  if (positions < prompt_tokens) return {positions, 0};
  return {prompt_tokens, positions - prompt_tokens + 1};
}

ProofBook::ProofBook(const crypto::SigningKey& key, ProofSettings settings)
    : key_(key),
      settings_(std::move(settings)),
      domain_(chain::Domain::Ledger(settings_.chain_id, settings_.ledger)) {}

chain::Wei ProofBook::Cost(TokenCount count) const {
  return chain::CostOf(static_cast<uint32_t>(count.in), static_cast<uint32_t>(count.out), settings_.price_in,
                       settings_.price_out);
}

chain::CompactSignature ProofBook::Sign(const Hash32& line, chain::Wei total) const {
  return chain::SignTyped(domain_, chain::WorkMessage{line, settings_.slot, key_.address(), total}, key_);
}

Status ProofBook::Load() {
  if (settings_.file.empty() || !FileExists(settings_.file)) return Ok{};
  Bytes bytes = TT_TRY(ReadFile(settings_.file, kMaxBookBytes));
  Json json = TT_TRY(Json::Parse(AsText(bytes), {.max_bytes = kMaxBookBytes}));
  for (const Json& entry : TT_TRY(json.GetArray("lines"))->as_array()) {
    Hash32 name = TT_TRY(protocol::GetHex<32>(entry, "line"));
    Line line;
    line.total = TT_TRY(protocol::GetWei(entry, "total"));
    line.written_off = TT_TRY(protocol::GetWei(entry, "written_off"));
    line.signature = TT_TRY(protocol::GetSignature(entry, "signature"));
    chain::WorkMessage message{name, settings_.slot, key_.address(), line.total};
    if (!chain::VerifyTyped(domain_, message, key_.address(), line.signature)) {
      return Error(Code::kDataLoss, settings_.file + ": a total that this key did not sign");
    }
    lines_[name] = line;
  }
  return Ok{};
}

Status ProofBook::Save() const {
  if (settings_.file.empty()) return Ok{};
  Json list = Json::MakeArray();
  for (const auto& [name, line] : lines_) {
    if (line.total.is_zero()) continue;
    list.Push(Json::MakeObject({{"line", ToHex0x(name)},
                                {"total", line.total.Decimal()},
                                {"written_off", line.written_off.Decimal()},
                                {"signature", protocol::SignatureText(line.signature)}}));
  }
  std::string text = Json::MakeObject({{"lines", std::move(list)}}).DumpPretty();
  return WriteFileAtomic(settings_.file, AsBytes(text), 0600);
}

void ProofBook::NoteChain(const Hash32& line, const chain::Account& account) {
  Line& mine = lines_[line];
  mine.used = account.used;
  if (account.worked > mine.total) {
    mine.total = account.worked;
    mine.signature = Sign(line, mine.total);
  }
}

std::vector<Hash32> ProofBook::lines() const {
  std::vector<Hash32> out;
  for (const auto& [name, line] : lines_) out.push_back(name);
  return out;
}

Status ProofBook::CheckCredit(const Hash32& line) const {
  auto found = lines_.find(line);
  if (settings_.credit_limit.is_zero() || found == lines_.end()) return Ok{};
  const Line& mine = found->second;
  chain::Wei settled = Sum(mine.used, mine.written_off);
  if (mine.total > Sum(settled, settings_.credit_limit)) {
    return Error(Code::kResourceExhausted, "the head's unsettled work passes this stage's credit limit");
  }
  return Ok{};
}

Result<ProofBook::Line*> ProofBook::AddWork(const Hash32& line, TokenCount added) {
  Line& mine = lines_[line];
  mine.total = TT_TRY(mine.total.Plus(Cost(added)));
  mine.signature = Sign(line, mine.total);
  TT_RETURN_IF_ERROR(Save());
  return &mine;
}

TokenCount ProofBook::AddPart(const Hash32& query, TokenCount added) {
  if (queries_.size() >= kMaxQueries && !queries_.contains(query)) queries_.erase(queries_.begin());
  TokenCount& sum = queries_[query];
  sum.in += added.in;
  sum.out += added.out;
  return sum;
}

Result<WorkFrame> ProofBook::Prove(const OpenFrame& open, uint64_t positions, TokenCount proved) {
  TokenCount now = CountTokens(positions, open.prompt_tokens);
  TokenCount added{now.in - proved.in, now.out - proved.out};
  WorkFrame frame;
  frame.head = open.head;
  frame.position = positions;
  frame.tokens_in = now.in;
  frame.tokens_out = now.out;
  if (open.mode == PayMode::kTab) {
    Line* line = TT_TRY(AddWork(open.line, added));
    frame.kind = ProofKind::kWork;
    frame.total = line->total.value();
    frame.signature = protocol::SignatureBytes(line->signature);
  } else if (open.mode == PayMode::kStrict) {
    TokenCount sum = AddPart(open.query, added);
    chain::PartMessage part{open.query, settings_.slot, key_.address(), static_cast<uint32_t>(sum.in),
                            static_cast<uint32_t>(sum.out)};
    frame.kind = ProofKind::kPart;
    frame.tokens_in = sum.in;
    frame.tokens_out = sum.out;
    frame.signature = protocol::SignatureBytes(chain::SignTyped(domain_, part, key_));
  }
  return frame;
}

void ProofBook::WriteOff(const Hash32& line, TokenCount count) {
  Line& mine = lines_[line];
  mine.written_off = Sum(mine.written_off, Cost(count));
  if (count.in + count.out == 0) return;
  Status saved = Save();  // when it fails, a restart gives the head less credit: the safe side
  if (!saved) LogWarn("proofs", saved.error().message());
}

}  // namespace teetee::pipeline
