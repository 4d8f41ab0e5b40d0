// The plain page at "/": what runs here, for a person who opens the gateway in a browser. HTML
// without scripts; one stylesheet. Pure.
#pragma once

#include <string>
#include <vector>

#include "gateway/directory.h"
#include "gateway/store.h"

namespace teetee::gateway {

struct StatusFacts {
  uint64_t chain_id = 0;
  Address registry{}, ledger{};
  bool chain_reachable = false;
  uint64_t block = 0, lag = 0;
  size_t relay_queue = 0;
  bool has_pages = false;  // --web holds an index page
  std::vector<MinedBatch> batches;
};

inline constexpr std::string_view kStatusStylePath = "/status.css";
std::string_view StatusStyle();
std::string StatusPage(const Directory& directory, const StatusFacts& facts);
// "&lt;" and its kind: for text and for attributes in double quotes.
std::string EscapeHtml(std::string_view text);

}  // namespace teetee::gateway
