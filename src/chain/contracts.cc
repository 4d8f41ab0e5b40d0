#include "chain/contracts.h"

#include "chain/abi.h"
#include "chain/eip712.h"

namespace teetee::chain {
namespace {

AbiWriter& Write(AbiWriter* out, const std::vector<Word>& words) {
  for (const Word& word : words) out->Raw(word);
  return *out;
}

AbiWriter& Write(AbiWriter* out, const CompactSignature& s) { return out->Raw(s.r).Raw(s.vs); }

template <class Entry>
AbiWriter& WriteArray(AbiWriter* out, const std::vector<Entry>& entries) {
  std::vector<Word> words;
  for (const Entry& entry : entries) {
    for (const Word& word : WordsOf(entry)) words.push_back(word);
  }
  return out->StaticArray(entries.size(), words);
}

Bytes EncodeBatch(const Batch& b) {
  AbiWriter tuple;
  tuple.Uint(b.seq).Uint(b.count).Raw(b.root);
  WriteArray(&tuple, b.charges);
  WriteArray(&tuple, b.work);
  return tuple.Finish();
}

// ---- return values ----

Result<bool> DecodeBool(ByteView in) { return AbiReader(in).Bool(); }
Result<Address> DecodeAddress(ByteView in) { return AbiReader(in).Addr(); }
Result<Hash32> DecodeWord(ByteView in) { return AbiReader(in).Raw(); }
Result<Wei> DecodeWei(ByteView in) { return AbiReader(in).Amount(); }
template <unsigned kBits>
Result<uint64_t> DecodeUint(ByteView in) {
  return AbiReader(in).Uint64(kBits);
}
Result<uint32_t> DecodeUint32(ByteView in) {
  return static_cast<uint32_t>(TT_TRY(AbiReader(in).Uint64(32)));
}

Result<Terms> DecodeTerms(ByteView bytes) {
  AbiReader in(bytes);
  Terms out;
  out.price_in = TT_TRY(in.Uint64());
  out.price_out = TT_TRY(in.Uint64());
  const AbiReader::Array array = TT_TRY(in.StaticArray(1, kMaxSlots));
  for (const Word& word : array.words) {
    const Uint128 value = TT_TRY(Uint128Of(word));
    if (value > ~uint32_t{0}) return Error(Code::kInvalidArgument, "terms: a share over 32 bits");
    out.up_to.push_back(static_cast<uint32_t>(value));
  }
  return out;
}

Result<ModelInfo> DecodeInfo(ByteView bytes) {
  AbiReader in(bytes);
  ModelInfo out;
  out.family = TT_TRY(in.Bytes26());
  out.lease = static_cast<uint32_t>(TT_TRY(in.Uint64(32)));
  out.price_in = TT_TRY(in.Uint64());
  out.price_out = TT_TRY(in.Uint64());
  out.timeout = static_cast<uint32_t>(TT_TRY(in.Uint64(32)));
  out.verifier = TT_TRY(in.Addr());
  out.manifest = TT_TRY(in.Raw());
  return out;
}

Result<NodeInfo> DecodeNode(ByteView bytes) {
  AbiReader in(bytes);
  NodeInfo out;
  out.family = TT_TRY(in.Bytes26());
  out.until = TT_TRY(in.Uint64(40));
  out.slot = static_cast<uint8_t>(TT_TRY(in.Uint64(8)));
  out.host = TT_TRY(in.Addr());
  out.quote = TT_TRY(in.Raw());
  out.url = TT_TRY(in.Text(kMaxUrlBytes));
  return out;
}

Result<Tab> DecodeTab(ByteView bytes) {
  AbiReader in(bytes);
  Tab out;
  out.funded = TT_TRY(in.Amount());
  out.spent = TT_TRY(in.Amount());
  out.signer = TT_TRY(in.Addr());
  out.epoch = static_cast<uint32_t>(TT_TRY(in.Uint64(32)));
  out.close_at = TT_TRY(in.Uint64(48));
  return out;
}

Result<Account> DecodeAccount(ByteView bytes) {
  AbiReader in(bytes);
  Account out;
  out.worked = Wei(TT_TRY(in.Uint(88)));
  out.used = Wei(TT_TRY(in.Uint(88)));
  out.owed = Wei(TT_TRY(in.Uint(80)));
  return out;
}

AbiWriter NodeArguments(const Hash32& model, uint8_t slot, const Address& key) {
  AbiWriter out;
  out.Raw(model).Uint(slot).Addr(key);
  return out;
}

constexpr char kQueryTuple[] = "(address,bytes32,address,bytes32,uint128,uint64,uint64)";
constexpr char kReceiptTuple[] = "(bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint128,bytes32)";
constexpr char kPartTuple[] = "(address,uint8,uint32,uint32,bytes32,bytes32)";
constexpr char kBatchTuple[] =
    "(uint64,uint32,bytes32,(address,uint32,uint128,uint128,bytes32,bytes32)[],"
    "(address,uint8,uint128,bytes32,bytes32)[])";

std::string Signature(std::string_view name, std::initializer_list<std::string_view> types) {
  std::string out(name);
  out += '(';
  for (std::string_view type : types) {
    if (out.back() != '(') out += ',';
    out += type;
  }
  return out + ')';
}

}  // namespace

namespace registry {

Bytes AddModel(const Model& model) {
  ByteWriter out;
  out.Raw(SelectorOf("addModel((bytes32,address,uint64,uint64,uint32,uint32,(bytes32,uint32)[]))"));
  return out.Raw(EncodeModel(model)).Take();
}

Bytes Join(const Hash32& model, uint8_t slot, const Address& key, std::string_view url,
           ByteView quote, uint64_t block_number) {
  AbiWriter out = NodeArguments(model, slot, key);
  return out.Text(url)
      .Blob(quote)
      .Uint(block_number)
      .Call("join(bytes32,uint8,address,string,bytes,uint256)");
}

Bytes SetUrl(const Address& key, std::string_view url) {
  return AbiWriter().Addr(key).Text(url).Call("setUrl(address,string)");
}

Bytes Leave(const Address& key, const Address& other) {
  return AbiWriter().Addr(key).Addr(other).Call("leave(address,address)");
}

Call<bool> IsLive(const Hash32& model, uint8_t slot, const Address& key) {
  return {NodeArguments(model, slot, key).Call("isLive(bytes32,uint8,address)"), DecodeBool};
}
Call<bool> IsAdmitted(const Hash32& model, uint8_t slot, const Address& key) {
  return {NodeArguments(model, slot, key).Call("isAdmitted(bytes32,uint8,address)"), DecodeBool};
}
Call<Address> HostOf(const Address& key) {
  return {AbiWriter().Addr(key).Call("hostOf(address)"), DecodeAddress};
}
Call<uint64_t> HostUntil(const Hash32& model, const Address& host) {
  return {AbiWriter().Raw(model).Addr(host).Call("hostUntil(bytes32,address)"), DecodeUint<40>};
}
Call<uint32_t> TimeoutOf(const Hash32& model) {
  return {AbiWriter().Raw(model).Call("timeoutOf(bytes32)"), DecodeUint32};
}
Call<Terms> TermsOf(const Hash32& model) {
  return {AbiWriter().Raw(model).Call("terms(bytes32)"), DecodeTerms};
}
Call<ModelInfo> InfoOf(const Hash32& model) {
  return {AbiWriter().Raw(model).Call("info(bytes32)"), DecodeInfo};
}
Call<NodeInfo> NodeOf(const Address& key) {
  return {AbiWriter().Addr(key).Call("node(address)"), DecodeNode};
}

}  // namespace registry

namespace ledger {

Bytes Buy(const Address& to) { return AbiWriter().Addr(to).Call("buy(address)"); }

Bytes Withdraw(Wei amount, const Address& to) {
  return AbiWriter().Amount(amount).Addr(to).Call("withdraw(uint256,address)");
}

Bytes Open(const Query& q) {
  AbiWriter out;
  return Write(&out, WordsOf(q)).Call(Signature("open", {kQueryTuple}));
}

Bytes OpenSigned(const Query& q, const CompactSignature& user) {
  AbiWriter out;
  Write(&out, WordsOf(q));
  return Write(&out, user).Call(Signature("openSigned", {kQueryTuple, "bytes32", "bytes32"}));
}

Bytes Settle(const Query& q, const Receipt& r, const std::vector<Part>& parts,
             const CompactSignature& head) {
  AbiWriter out;
  Write(&out, WordsOf(q));
  Write(&out, WordsOf(r));
  WriteArray(&out, parts);
  return Write(&out, head)
      .Call(Signature("settle", {kQueryTuple, kReceiptTuple, std::string(kPartTuple) + "[]",
                                 "bytes32", "bytes32"}));
}

Bytes Refund(const Query& q) {
  AbiWriter out;
  return Write(&out, WordsOf(q)).Call(Signature("refund", {kQueryTuple}));
}

Bytes Fund(const Hash32& model, const Address& head, Wei amount, const Address& signer) {
  return AbiWriter().Raw(model).Addr(head).Amount(amount).Addr(signer).Call(
      "fund(bytes32,address,uint128,address)");
}

Bytes Close(const Hash32& line) { return AbiWriter().Raw(line).Call("close(bytes32)"); }

Bytes Finish(const Address& user, const Hash32& line) {
  return AbiWriter().Addr(user).Raw(line).Call("finish(address,bytes32)");
}

Bytes ReleaseTab(const Address& user, const Hash32& model, const Address& head, uint32_t epoch,
                 Wei used, const CompactSignature& signature) {
  AbiWriter out;
  out.Addr(user).Raw(model).Addr(head).Uint(epoch).Amount(used);
  return Write(&out, signature)
      .Call("release(address,bytes32,address,uint32,uint128,bytes32,bytes32)");
}

Bytes SettleBatch(const Hash32& model, const Address& head, const Batch& batch,
                  const CompactSignature& signature) {
  AbiWriter out;
  out.Raw(model).Addr(head).Dynamic(EncodeBatch(batch));
  return Write(&out, signature)
      .Call(Signature("settleBatch", {"bytes32", "address", kBatchTuple, "bytes32", "bytes32"}));
}

Bytes Collect(const Hash32& line, const Address& key) {
  return AbiWriter().Raw(line).Addr(key).Call("collect(bytes32,address)");
}

Call<Wei> BalanceOf(const Address& owner) {
  return {AbiWriter().Addr(owner).Call("balanceOf(address)"), DecodeWei};
}
Call<Hash32> RecordOf(const Hash32& query) {
  return {AbiWriter().Raw(query).Call("record(bytes32)"), DecodeWord};
}
Call<Tab> TabOf(const Address& user, const Hash32& line) {
  return {AbiWriter().Addr(user).Raw(line).Call("tab(address,bytes32)"), DecodeTab};
}
Call<Account> AccountOf(const Hash32& line, const Address& key) {
  return {AbiWriter().Raw(line).Addr(key).Call("account(bytes32,address)"), DecodeAccount};
}
Call<uint64_t> LastSeq(const Hash32& line) {
  return {AbiWriter().Raw(line).Call("lastSeq(bytes32)"), DecodeUint<64>};
}
Call<Hash32> BatchRoot(const Hash32& line, uint64_t seq) {
  return {AbiWriter().Raw(line).Uint(seq).Call("batchRoot(bytes32,uint64)"), DecodeWord};
}
Call<bool> VerifyReceipt(const Receipt& r, uint64_t seq, const std::vector<Hash32>& proof) {
  AbiWriter out;
  Write(&out, WordsOf(r)).Uint(seq).StaticArray(proof.size(), proof);
  return {out.Call(Signature("verifyReceipt", {kReceiptTuple, "uint64", "bytes32[]"})), DecodeBool};
}
Call<Address> Registry() { return {AbiWriter().Call("registry()"), DecodeAddress}; }

Hash32 RecordOpen() { return WordOf(Uint128{1}); }
Hash32 RecordRefunded() { return WordOf(Uint128{2}); }

}  // namespace ledger

Bytes AllowlistQuote(const Hash32& report_data, uint64_t expires,
                     const std::vector<CompactSignature>& signatures) {
  std::vector<Word> words;
  for (const CompactSignature& s : signatures) {
    words.push_back(s.r);
    words.push_back(s.vs);
  }
  return AbiWriter().Raw(report_data).Uint(expires).StaticArray(signatures.size(), words).Finish();
}

Bytes LedgerConstructor(const Address& registry) { return AbiWriter().Addr(registry).Finish(); }

Bytes AllowlistConstructor(const std::vector<Address>& auditors, uint32_t threshold) {
  std::vector<Word> words;
  for (const Address& auditor : auditors) words.push_back(WordOf(auditor));
  return AbiWriter().StaticArray(words.size(), words).Uint(threshold).Finish();
}

}  // namespace teetee::chain
