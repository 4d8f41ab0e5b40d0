// Reads one case a line on stdin, {"op": name, "in": {...}}, and writes its encoding a line on
// stdout, so that cross_check.mjs can compare it with viem's. A case that fails writes "error:
// why". Test program only: the keys in its input are random and worthless.
#include <iostream>
#include <string>
#include <vector>

#include "base/json.h"
#include "chain/contracts.h"
#include "chain/eip712.h"
#include "chain/events.h"
#include "chain/model_id.h"
#include "chain/revert.h"
#include "chain/tx.h"
#include "crypto/keccak.h"
#include "crypto/merkle.h"

namespace teetee::chain {
namespace {

// Typed members of a case; the test stops at the first that does not parse, by exception, since
// nobody handles it.
class Args {
 public:
  explicit Args(const Json& json) : json_(json) {}
  std::string Text(const char* key) const { return Must(json_.GetString(key)); }
  Bytes Blob(const char* key) const { return Must(FromHex(Text(key))); }
  Hash32 H(const char* key) const { return Must(FromHexFixed<32>(Text(key))); }
  Address A(const char* key) const { return Must(crypto::ParseAddress(Text(key))); }
  Uint128 U(const char* key) const { return Must(Wei::ParseDecimal(Text(key))).value(); }
  uint64_t U64(const char* key) const { return static_cast<uint64_t>(U(key)); }
  uint32_t U32(const char* key) const { return static_cast<uint32_t>(U(key)); }
  uint8_t U8(const char* key) const { return static_cast<uint8_t>(U(key)); }
  Wei W(const char* key) const { return Wei(U(key)); }
  bool Has(const char* key) const { return json_.Find(key) != nullptr; }
  Args Sub(const char* key) const { return Args(*Must(json_.Get(key))); }
  std::vector<Args> List(const char* key) const {
    std::vector<Args> out;
    for (const Json& item : Must(json_.GetArray(key))->as_array()) out.emplace_back(item);
    return out;
  }
  std::vector<Hash32> Hashes(const char* key) const {
    std::vector<Hash32> out;
    for (const Json& item : Must(json_.GetArray(key))->as_array()) {
      out.push_back(Must(FromHexFixed<32>(item.as_string())));
    }
    return out;
  }
  crypto::SigningKey Key() const {
    return Must(crypto::SigningKey::FromSecret(Secret<32>(H("key_secret"))));
  }
  CompactSignature Sig() const { return {H("r"), H("vs")}; }

 private:
  template <class T>
  static T Must(Result<T> result) {
    if (!result) throw std::string(result.error().message());
    return *std::move(result);
  }
  const Json& json_;
};

Query ToQuery(const Args& a) {
  return {a.A("user"),    a.H("model"),      a.A("head"),   a.H("input"),
          a.W("maxCost"), a.U64("deadline"), a.U64("nonce")};
}
Receipt ToReceipt(const Args& a) {
  return {a.H("query"),      a.H("line"),        a.H("input"), a.H("output"),
          a.U32("tokensIn"), a.U32("tokensOut"), a.W("cost"),  a.H("transcript")};
}
Model ToModel(const Args& a) {
  Model m{a.H("manifest"),
          a.A("verifier"),
          a.U64("priceIn"),
          a.U64("priceOut"),
          a.U32("timeout"),
          a.U32("lease"),
          {}};
  for (const Args& slot : a.List("slots"))
    m.slots.push_back({slot.H("weights"), slot.U32("share")});
  return m;
}
std::vector<Part> ToParts(const Args& a) {
  std::vector<Part> out;
  for (const Args& p : a.List("parts")) {
    out.push_back({p.A("key"), p.U8("slot"), p.U32("tokensIn"), p.U32("tokensOut"), p.Sig()});
  }
  return out;
}
Batch ToBatch(const Args& a) {
  Batch b{a.U64("seq"), a.U32("count"), a.H("root"), {}, {}};
  for (const Args& c : a.List("charges")) {
    b.charges.push_back({c.A("user"), c.U32("epoch"), c.W("used"), c.W("total"), c.Sig()});
  }
  for (const Args& w : a.List("work")) {
    b.work.push_back({w.A("key"), w.U8("slot"), w.W("total"), w.Sig()});
  }
  return b;
}

// Domain, message, key -> digest and 65-byte signature.
template <class M>
std::string Typed(const Domain& domain, const M& message, const crypto::SigningKey& key) {
  const Hash32 digest = Digest(domain, message);
  const CompactSignature compact = SignTyped(domain, message, key);
  if (!VerifyTyped(domain, message, key.address(), compact)) return "error: does not verify";
  return ToHex0x(digest) + " " + ToHex0x(key.Sign(digest).bytes());
}

std::string TypedCase(const std::string& type, const Args& a) {
  const crypto::SigningKey key = a.Key();
  const Args m = a.Sub("message");
  const uint64_t chain = a.U64("chainId");
  const Address contract = a.A("contract");
  const Domain d = Domain::Ledger(chain, contract);
  if (type == "Query") return Typed(d, ToQuery(m), key);
  if (type == "Receipt") return Typed(d, ToReceipt(m), key);
  if (type == "Part") {
    return Typed(
        d,
        PartMessage{m.H("query"), m.U8("slot"), m.A("key"), m.U32("tokensIn"), m.U32("tokensOut")},
        key);
  }
  if (type == "Work")
    return Typed(d, WorkMessage{m.H("line"), m.U8("slot"), m.A("key"), m.W("total")}, key);
  if (type == "Voucher")
    return Typed(d, Voucher{m.A("user"), m.H("line"), m.U32("epoch"), m.W("total")}, key);
  if (type == "Release")
    return Typed(d, Release{m.A("user"), m.H("line"), m.U32("epoch"), m.W("used")}, key);
  if (type == "Batch") return Typed(d, MessageOf(m.H("line"), ToBatch(m)), key);
  if (type == "Access")
    return Typed(d, Access{m.A("host"), m.H("model"), m.H("session"), m.U64("expires")}, key);
  if (type == "Approval") {
    return Typed(Domain::Allowlist(chain, contract),
                 Approval{m.H("manifest"), m.H("reportData"), m.U64("expires")}, key);
  }
  return "error: unknown type";
}

Bytes RegistryCall(const std::string& f, const Args& a) {
  if (f == "addModel") return registry::AddModel(ToModel(a.Sub("m")));
  if (f == "join") {
    return registry::Join(a.H("model"), a.U8("slot"), a.A("key"), a.Text("url"), a.Blob("quote"),
                          a.U64("blockNumber"));
  }
  if (f == "setUrl") return registry::SetUrl(a.A("key"), a.Text("url"));
  if (f == "leave") return registry::Leave(a.A("key"), a.A("other"));
  if (f == "isLive") return registry::IsLive(a.H("model"), a.U8("slot"), a.A("key")).data;
  if (f == "isAdmitted") return registry::IsAdmitted(a.H("model"), a.U8("slot"), a.A("key")).data;
  if (f == "hostOf") return registry::HostOf(a.A("key")).data;
  if (f == "hostUntil") return registry::HostUntil(a.H("model"), a.A("host")).data;
  if (f == "timeoutOf") return registry::TimeoutOf(a.H("model")).data;
  if (f == "terms") return registry::TermsOf(a.H("model")).data;
  if (f == "info") return registry::InfoOf(a.H("model")).data;
  if (f == "node") return registry::NodeOf(a.A("key")).data;
  return {};
}

Bytes LedgerCall(const std::string& f, const Args& a) {
  if (f == "buy") return ledger::Buy(a.A("to"));
  if (f == "withdraw") return ledger::Withdraw(a.W("amount"), a.A("to"));
  if (f == "open") return ledger::Open(ToQuery(a.Sub("q")));
  if (f == "openSigned") return ledger::OpenSigned(ToQuery(a.Sub("q")), a.Sig());
  if (f == "settle") {
    return ledger::Settle(ToQuery(a.Sub("q")), ToReceipt(a.Sub("receipt")), ToParts(a), a.Sig());
  }
  if (f == "refund") return ledger::Refund(ToQuery(a.Sub("q")));
  if (f == "fund") return ledger::Fund(a.H("model"), a.A("head"), a.W("amount"), a.A("signer"));
  if (f == "close") return ledger::Close(a.H("line"));
  if (f == "finish") return ledger::Finish(a.A("user"), a.H("line"));
  if (f == "release") {
    return ledger::ReleaseTab(a.A("user"), a.H("model"), a.A("head"), a.U32("epoch"), a.W("used"),
                              a.Sig());
  }
  if (f == "settleBatch")
    return ledger::SettleBatch(a.H("model"), a.A("head"), ToBatch(a.Sub("b")), a.Sig());
  if (f == "collect") return ledger::Collect(a.H("line"), a.A("key"));
  if (f == "balanceOf") return ledger::BalanceOf(a.A("owner")).data;
  if (f == "record") return ledger::RecordOf(a.H("query")).data;
  if (f == "tab") return ledger::TabOf(a.A("user"), a.H("line")).data;
  if (f == "account") return ledger::AccountOf(a.H("line"), a.A("key")).data;
  if (f == "lastSeq") return ledger::LastSeq(a.H("line")).data;
  if (f == "batchRoot") return ledger::BatchRoot(a.H("line"), a.U64("seq")).data;
  if (f == "verifyReceipt") {
    return ledger::VerifyReceipt(ToReceipt(a.Sub("receipt")), a.U64("seq"), a.Hashes("proof")).data;
  }
  if (f == "registry") return ledger::Registry().data;
  return {};
}

std::string SignedTransaction(const Args& a) {
  Tx tx{a.U64("chainId"), a.U64("nonce"), a.W("tip"),   a.W("fee"),
        a.U64("gas"),     std::nullopt,   a.W("value"), a.Blob("data")};
  if (a.Has("to")) tx.to = a.A("to");
  const crypto::SigningKey key = a.Key();
  const SignedTx out = SignTx(tx, key);
  auto back = DecodeSignedTx(out.raw);
  if (!back || !(back->tx == tx) || back->from != key.address() || back->hash != out.hash) {
    return "error: does not read back";
  }
  return ToHex0x(out.raw) + " " + ToHex0x(out.hash);
}

// Events answer with the values that viem put in, in the order of the event's declaration.
std::string EventFields(const LogEntry& log) {
  auto event = DecodeEvent(log);
  if (!event) return "error: " + event.error().message();
  if (!*event) return "error: not ours";
  auto n = [](uint64_t v) { return std::to_string(v); };
  auto a = [](const Address& v) { return crypto::AddressText(v); };
  auto h = [](ByteView v) { return ToHex0x(v); };
  auto join = [](std::vector<std::string> parts) {
    std::string out;
    for (const std::string& p : parts) out += (out.empty() ? "" : " ") + p;
    return out;
  };
  struct Visitor {
    decltype(n)& N;
    decltype(a)& A;
    decltype(h)& H;
    decltype(join)& J;
    std::string operator()(const ModelAdded& e) {
      return J({H(e.model), H(e.family), H(EncodeModel(e.params))});
    }
    std::string operator()(const NodeJoined& e) {
      return J(
          {A(e.key), A(e.host), H(e.family), N(e.slot), H(e.model), H(e.quote), e.url, N(e.until)});
    }
    std::string operator()(const NodeLeft& e) { return A(e.key); }
    std::string operator()(const UrlSet& e) { return J({A(e.key), e.url}); }
    std::string operator()(const Bought& e) {
      return J({A(e.payer), A(e.user), e.amount.Decimal()});
    }
    std::string operator()(const Withdrawn& e) {
      return J({A(e.user), A(e.to), e.amount.Decimal()});
    }
    std::string operator()(const Opened& e) {
      return J({H(e.query), A(e.user), H(e.model), H(StructHash(e.q))});
    }
    std::string operator()(const Served& e) {
      return J({H(e.query), H(e.line), H(e.receipt_hash), H(StructHash(e.receipt))});
    }
    std::string operator()(const Refunded& e) { return J({H(e.query), e.amount.Decimal()}); }
    std::string operator()(const TabFunded& e) {
      return J({A(e.user), H(e.line), H(e.model), A(e.head), e.amount.Decimal(), A(e.signer),
                N(e.epoch)});
    }
    std::string operator()(const TabClosing& e) { return J({A(e.user), H(e.line), N(e.close_at)}); }
    std::string operator()(const TabClosed& e) {
      return J({A(e.user), H(e.line), N(e.epoch), e.rest.Decimal()});
    }
    std::string operator()(const Charged& e) {
      return J({A(e.user), H(e.line), N(e.epoch), e.spent.Decimal()});
    }
    std::string operator()(const ChargeSkipped& e) {
      return J({A(e.user), H(e.line), N(static_cast<uint64_t>(e.why))});
    }
    std::string operator()(const WorkSkipped& e) {
      return J({H(e.line), A(e.key), N(static_cast<uint64_t>(e.why))});
    }
    std::string operator()(const Batched& e) {
      return J({H(e.line), N(e.seq), H(e.root), N(e.count), e.amount.Decimal()});
    }
    std::string operator()(const Earned& e) { return J({H(e.line), A(e.key), e.amount.Decimal()}); }
    std::string operator()(const Collected& e) {
      return J({H(e.line), A(e.key), A(e.host), e.amount.Decimal()});
    }
  };
  return std::visit(Visitor{n, a, h, join}, **event);
}

std::string Answer(const std::string& op, const Args& a) {
  if (op == "keccak") return ToHex0x(crypto::Keccak256(a.Blob("data")));
  if (op == "address") return crypto::AddressText(a.Key().address());
  if (op == "tx") return SignedTransaction(a);
  if (op == "typed") return TypedCase(a.Text("type"), a);
  if (op == "registry") return ToHex0x(RegistryCall(a.Text("function"), a.Sub("args")));
  if (op == "ledger") return ToHex0x(LedgerCall(a.Text("function"), a.Sub("args")));
  if (op == "model") return ToHex0x(ModelId(ToModel(a))) + " " + ToHex0x(FamilyOf(ToModel(a)));
  if (op == "line") return ToHex0x(LineOf(a.H("model"), a.A("head")));
  if (op == "tabQuery") return ToHex0x(TabQueryId(a.H("line"), a.H("request")));
  if (op == "join") {
    return ToHex0x(JoinReportData({a.U64("chainId"), a.A("registry"), a.A("host"), a.A("key"),
                                   a.H("weights"), a.H("blockHash")}));
  }
  if (op == "quote") {
    std::vector<CompactSignature> signatures;
    for (const Args& s : a.List("sigs")) signatures.push_back(s.Sig());
    return ToHex0x(AllowlistQuote(a.H("reportData"), a.U64("expires"), signatures));
  }
  if (op == "event") {
    LogEntry log;
    log.topics = a.Hashes("topics");
    log.data = a.Blob("data");
    return EventFields(log);
  }
  if (op == "revert") {
    const Revert revert = ExplainRevert(a.Blob("data"));
    return revert.name;
  }
  if (op == "merkle") {
    const std::vector<Hash32> leaves = a.Hashes("leaves");
    return ToHex0x(crypto::MerkleTree(leaves).root());
  }
  return "error: unknown op";
}

int Run() {
  std::string line;
  while (std::getline(std::cin, line)) {
    auto json = Json::Parse(line);
    if (!json) {
      std::cout << "error: " << json.error().message() << "\n";
      continue;
    }
    try {
      const Args top(*json);
      std::cout << Answer(top.Text("op"), top.Sub("in")) << "\n";
    } catch (const std::string& why) {
      std::cout << "error: " << why << "\n";
    }
  }
  return 0;
}

}  // namespace
}  // namespace teetee::chain

int main() { return teetee::chain::Run(); }
