#include "chain/revert.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "chain/abi.h"

namespace teetee::chain {
namespace {

struct Known {
  std::string_view signature;
  std::string_view meaning;
};

// The words of contracts/src/interfaces, short.
constexpr Known kKnown[] = {
    {"AlreadyAdded()", "the same model is registered already"},
    {"BadModel()", "a parameter of the model is out of its range, or two slots have equal weights"},
    {"UnknownModel()", "no such model, or no such slot in it"},
    {"StaleBlock()", "the evidence's block is not among the last 256"},
    {"WrongReportData()",
     "the quote was made for another host, key, slot, block, registry or chain"},
    {"KeyTaken()", "the key already has another host, family or slot"},
    {"NotHost()", "the sender is not the node's host"},
    {"NotUser()", "the sender may not do this for the user, or the tab's signer is another"},
    {"BadQuery()", "unknown model, no head, or a deadline outside of what is allowed"},
    {"NotOpen()", "the query is not open: unknown, or settled or refunded already"},
    {"TooEarly()", "the deadline or the delay of closing is not over"},
    {"WrongReceipt()", "the receipt is for another query, or its cost is not that of its tokens"},
    {"WrongSigner(address)", "the signature is not the one expected from"},
    {"NotAdmitted(address)", "not admitted for its slot, not even within the grace:"},
    {"NotCovered(uint256)", "the stages proved fewer tokens than the receipt names, in slot"},
    {"BadOrder()",
     "parts or work are not in ascending order of slot and key, or name a wrong slot"},
    {"OverCharge()", "the receipt costs more than the query allows, or a key is owed too much"},
    {"WrongSequence()", "the line has a batch of this number or a higher one"},
    {"WrongTab()", "no such tab, or it is closing, or its epoch or sum is another"},
    {"TransferFailed()", "the receiver refused the ether"},
    {"BadAuditors()", "an auditor is named twice, or the threshold does not fit"},
    {"Expired()", "the approval is past its last second"},
    {"TooFewApprovals()", "fewer approvals than the threshold"},
    {"WrongApproval(uint256)", "an approval is not an auditor's, or out of order, at place"},
};
constexpr size_t kMaxText = 256;  // bytes of a contract's own error text

using Selectors = std::array<Selector, std::size(kKnown)>;
const Selectors& KnownSelectors() {
  static const Selectors selectors = [] {  // constant; hashed once
    Selectors out;
    for (size_t i = 0; i < out.size(); ++i) out[i] = SelectorOf(kKnown[i].signature);
    return out;
  }();
  return selectors;
}

std::string Printable(std::string_view text) {
  std::string out(text.substr(0, kMaxText));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

Revert Describe(const Known& known, ByteView arguments) {
  Revert out{std::string(known.signature.substr(0, known.signature.find('('))),
             std::string(known.meaning)};
  AbiReader in(arguments);
  if (known.signature.find("(address)") != std::string_view::npos) {
    if (auto address = in.Addr()) out.meaning += " " + crypto::AddressText(*address);
  } else if (known.signature.find("(uint256)") != std::string_view::npos) {
    if (auto value = in.Uint(128)) out.meaning += " " + Uint128Text(*value);
  }
  return out;
}

Revert DescribePanic(ByteView arguments) {
  auto code = AbiReader(arguments).Uint(128);
  if (!code) return {"Panic", "a failed check inside the contract"};
  if (*code == 0x11) return {"Panic", "an amount is too small or too large (arithmetic overflow)"};
  return {"Panic", "a failed check inside the contract, number " + Uint128Text(*code)};
}

}  // namespace

Revert ExplainRevert(ByteView data) {
  if (data.empty()) return {"", "reverted without a reason (is this the right contract?)"};
  if (data.size() < 4) return {"", "an unknown error"};
  Selector selector;
  std::memcpy(selector.data(), data.data(), selector.size());
  const ByteView arguments = data.subspan(4);
  const Selectors& selectors = KnownSelectors();
  for (size_t i = 0; i < selectors.size(); ++i) {
    if (selectors[i] == selector) return Describe(kKnown[i], arguments);
  }
  if (selector == SelectorOf("Panic(uint256)")) return DescribePanic(arguments);
  if (selector == SelectorOf("Error(string)")) {
    auto text = AbiReader(arguments).Text(kMaxText);
    return {"Error", text ? Printable(*text) : "an error whose text cannot be read"};
  }
  return {"", "an unknown error of selector " + ToHex0x(selector)};
}

}  // namespace teetee::chain
