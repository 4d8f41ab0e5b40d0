// RLP, ABI, signed transactions, return values, events and revert data from foreign bytes: nothing
// aborts, nothing is read out of bounds, and what reads back as a transaction is written as the
// same bytes.
#include <cstdlib>
#include <map>
#include <string>

#include "chain/abi.h"
#include "chain/contracts.h"
#include "chain/events.h"
#include "chain/revert.h"
#include "chain/rlp.h"
#include "chain/tx.h"

namespace {

using namespace teetee;
using namespace teetee::chain;

void WalkRlp(RlpReader in, int depth) {
  while (!in.done()) {
    RlpReader copy = in;
    if (auto list = copy.List()) {
      if (depth < 64) WalkRlp(*list, depth + 1);
      in = copy;
      continue;
    }
    auto text = in.String();
    if (!text) return;
    // One spelling only: writing it again gives a form that reads as the same.
    const Bytes again = RlpString(*text);
    auto back = RlpReader(again).String();
    if (!back || ToBytes(*back) != ToBytes(*text)) std::abort();
  }
}

void ReadTuple(ByteView bytes, uint8_t choices) {
  AbiReader in(bytes);
  for (int i = 0; i < 8; ++i) {
    switch ((choices >> i & 1) * 4 + i % 4) {
      case 0:
        (void)in.Raw();
        break;
      case 1:
        (void)in.Uint64(40);
        break;
      case 2:
        (void)in.Addr();
        break;
      case 3:
        (void)in.Bool();
        break;
      case 4:
        (void)in.Blob(1 << 16);
        break;
      case 5:
        (void)in.StaticArray(2, 64);
        break;
      case 6:
        (void)in.Bytes26();
        break;
      default:
        if (auto tuple = in.Tuple()) (void)tuple->Text(1 << 16);
    }
  }
}

void ReadEvent(const uint8_t* data, size_t size) {
  static const char* const kSignatures[] = {
      "ModelAdded(bytes32,bytes26,(bytes32,address,uint64,uint64,uint32,uint32,(bytes32,uint32)[])"
      ")",
      "NodeJoined(address,address,bytes26,uint8,bytes32,bytes32,string,uint40)",
      "UrlSet(address,string)",
      "Batched(bytes32,uint64,bytes32,uint32,uint256)",
      "ChargeSkipped(address,bytes32,uint8)",
      "Served(bytes32,bytes32,bytes32,(bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint128,"
      "bytes32))"};
  LogEntry log;
  static std::map<size_t, Hash32> topics;  // hashed once
  const size_t which = data[0] % std::size(kSignatures);
  if (topics.count(which) == 0) topics[which] = EventTopicOf(kSignatures[which]);
  log.topics.push_back(topics[which]);
  ByteReader in(ByteView(data + 1, size - 1));
  for (int i = 0; i < data[0] % 4; ++i) {
    if (auto topic = in.Array<32>()) log.topics.push_back(*topic);
  }
  log.data = ToBytes(*in.View(in.remaining()));
  (void)DecodeEvent(log);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data, size);
  WalkRlp(RlpReader(bytes), 0);
  ReadTuple(bytes.subspan(1), data[0]);
  ReadEvent(data, size);
  (void)ExplainRevert(bytes);
  (void)registry::TermsOf({}).decode(bytes);
  (void)registry::NodeOf({}).decode(bytes);
  (void)ledger::TabOf({}, {}).decode(bytes);
  if (auto decoded = DecodeSignedTx(bytes)) {
    if (decoded->tx.data.size() > size) std::abort();
  }
  return 0;
}
