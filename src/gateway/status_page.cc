#include "gateway/status_page.h"

#include <ctime>

#include "base/version.h"

namespace teetee::gateway {
namespace {

constexpr size_t kMaxModels = 50;  // on the page

constexpr std::string_view kStyle = R"css(:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
.warning { border: 2px solid #b45309; border-radius: .5rem; padding: .75rem 1rem; background: #f59e0b22; }
.yes { color: #15803d; } .no { color: #b91c1c; }
.scroll { overflow-x: auto; }
)css";

std::string Short(ByteView bytes) {
  const std::string hex = ToHex0x(bytes);
  return "<code title=\"" + hex + "\">" + hex.substr(0, 10) + "…" + hex.substr(hex.size() - 4) +
         "</code>";
}

std::string YesNo(bool yes, std::string_view yes_text, std::string_view no_text) {
  return std::string("<span class=\"") + (yes ? "yes" : "no") + "\">" +
         std::string(yes ? yes_text : no_text) + "</span>";
}

std::string UtcText(uint64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  char text[32];
  if (unix_seconds > 253402300799u || gmtime_r(&time, &parts) == nullptr) return "?";
  return std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts) > 0 ? text : "?";
}

std::string Warning(const Directory& directory, const StatusFacts& facts) {
  std::string out;
  if (directory.IsSimulated()) {
    out +=
        "<p><strong>Simulated evidence.</strong> Nodes here run without TEE hardware: nothing "
        "protects what you send from whoever runs them. "
        "For development only.</p>";
  }
  if (facts.chain_id == kDevelopmentChain) {
    out +=
        "<p><strong>Demo money.</strong> Chain 31337 is a development chain: its ether is worth "
        "nothing and may vanish at any time.</p>";
  }
  return out.empty() ? out : "<div class=\"warning\" role=\"alert\">" + out + "</div>\n";
}

std::string NodeTable(const Directory& directory, const ModelRecord& model) {
  std::string out =
      "<div "
      "class=\"scroll\"><table><thead><tr><th>slot</th><th>node</th><th>host</th><th>state</"
      "th><th>lease until</th>"
      "<th>evidence</th></tr></thead><tbody>\n";
  for (const NodeRecord* node : directory.NodesOf(model.family)) {
    const std::string evidence = directory.EvidenceClass(node->key);
    out += "<tr><td>" + std::to_string(node->slot) + "</td><td>" + Short(node->key) + "</td><td>" +
           Short(node->host) + "</td><td>" +
           YesNo(directory.IsLive(*node), "live",
                 directory.HasLease(*node) ? "does not answer" : "lease ended") +
           "</td><td>" + UtcText(node->until) + "</td><td>" +
           (evidence.empty() ? "unknown" : EscapeHtml(evidence)) + " (<a href=\"/v1/teetee/nodes/" +
           ToHex0x(node->key) + "/evidence\">JSON</a>)</td></tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string ModelSection(const Directory& directory, const ModelRecord& model) {
  const std::string id = ToHex0x(model.id);
  std::string out = "<h2>" + EscapeHtml(directory.PublicName(model)) + " " +
                    YesNo(directory.IsLive(model), "live", "not live") + "</h2>\n<p>" +
                    std::to_string(model.params.slots.size()) + " slots, " +
                    std::to_string(model.params.price_in) + " wei per prompt token, " +
                    std::to_string(model.params.price_out) + " wei per generated token, model " +
                    Short(model.id) + " (<a href=\"/v1/teetee/models/" + id +
                    "\">parameters</a>, <a href=\"/v1/teetee/nodes?model=" + id + "\">nodes</a>)";
  if (directory.ManifestOf(model) == nullptr)
    out += ". No node has shown its manifest yet, so it is not offered.";
  return out + "</p>\n" + NodeTable(directory, model);
}

std::string BatchTable(const std::vector<MinedBatch>& batches) {
  if (batches.empty()) return "<p>None yet.</p>\n";
  std::string out =
      "<div "
      "class=\"scroll\"><table><thead><tr><th>block</th><th>line</th><th>batch</th><th>receipts</"
      "th><th>root</th>"
      "<th>transaction</th></tr></thead><tbody>\n";
  for (const MinedBatch& b : batches) {
    out += "<tr><td>" + std::to_string(b.block) + "</td><td><a href=\"/v1/teetee/line/" +
           ToHex0x(b.line) + "\">" + Short(b.line) + "</a></td><td>" + std::to_string(b.seq) +
           "</td><td>" + std::to_string(b.count) + "</td><td>" + Short(b.root) + "</td><td>" +
           Short(b.tx) + "</td></tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string_view StatusStyle() { return kStyle; }

std::string StatusPage(const Directory& directory, const StatusFacts& facts) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>TeeTee gateway</title><link rel=\"stylesheet\" "
      "href=\"" +
      std::string(kStatusStylePath) + "\"></head>\n<body><main>\n<h1>TeeTee gateway</h1>\n";
  out += Warning(directory, facts);
  out +=
      "<p>This server relays sealed requests to attested nodes and what they sign to the chain. It "
      "cannot read prompts or answers, and what it "
      "says here proves nothing: <code>teetee proxy</code> checks the evidence itself.";
  if (facts.has_pages) out += " <a href=\"/\">Pages</a>.";
  out += "</p>\n<p>Chain " + std::to_string(facts.chain_id) + " " +
         YesNo(facts.chain_reachable, "reachable", "unreachable") + ", block " +
         std::to_string(facts.block) + ", " + std::to_string(facts.lag) + " behind, " +
         std::to_string(facts.relay_queue) + " entries to settle. Registry " +
         Short(facts.registry) + ", Ledger " + Short(facts.ledger) + ".</p>\n";
  const auto models = directory.Models();
  if (models.empty()) out += "<h2>No models</h2><p>Nobody has registered one yet.</p>\n";
  for (size_t i = 0; i < models.size() && i < kMaxModels; ++i)
    out += ModelSection(directory, *models[i]);
  if (models.size() > kMaxModels)
    out += "<p>And " + std::to_string(models.size() - kMaxModels) + " more.</p>\n";
  out += "<h2>Newest batches</h2>\n" + BatchTable(facts.batches);
  out +=
      "<h2>For programs</h2>\n<p><a href=\"/v1/models\">models</a>, <a "
      "href=\"/healthz\">health</a>, <a href=\"/metrics\">metrics</a></p>\n";
  return out + "<p>teetee-gateway " + std::string(kVersion) + "</p>\n</main></body></html>\n";
}

}  // namespace teetee::gateway
