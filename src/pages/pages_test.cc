#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "pages/site.h"

namespace teetee::pages {
namespace {

class PagesTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "teetee-pages-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(web() + "/assets");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string web() const { return folder_ + "/web"; }
  void Write(const std::string& path, std::string_view text) { std::ofstream(folder_ + path) << text; }
  static net::HttpRequest Request(std::string path) {
    net::HttpRequest out;
    out.method = "GET";
    out.path = std::move(path);
    return out;
  }
  static SiteConfig Config() {
    SiteConfig out;
    out.served_by = "gateway";
    out.rpc = "http://127.0.0.1:8545/key";
    out.chain_id = 31337;
    return out;
  }

  std::string folder_;
};

TEST_F(PagesTest, FilesThatWereThereAtStartAreServedAndNothingElse) {
  std::filesystem::create_directories(web() + "/app");
  Write("/secret.txt", "secret");
  Write("/web/.env", "secret");
  Write("/web/app/index.html", "<p>app");
  Write("/web/main.js", "1");
  std::filesystem::create_symlink(folder_ + "/secret.txt", web() + "/link.txt");
  EXPECT_EQ(WebFiles::Load(folder_ + "/none").error().code(), Code::kNotFound);
  const auto files = *WebFiles::Load(web());
  for (const char* path : {"/../secret.txt", "/%2e%2e/secret.txt", "/.env", "/link.txt", "/app",
                           "/%zz", "//main.js"}) {
    EXPECT_FALSE(files.Get(path, "")) << path;
  }
  const auto page = files.Get("/app/", "");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->headers.Find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(files.Get("/app/", *page->headers.Find("ETag"))->status, 304);
  EXPECT_EQ(files.Get("/main.js", "")->text(), "1");
}

TEST_F(PagesTest, SiteWithoutAnIndexIsRefused) {
  Write("/web/main.js", "1");
  EXPECT_EQ(Site::Load(web(), Config()).error().code(), Code::kNotFound);
}

TEST_F(PagesTest, AnRpcThatIsNoUrlIsRefused) {
  Write("/web/index.html", "<p>");
  SiteConfig config = Config();
  config.rpc = "http://a b; script-src *";
  EXPECT_EQ(Site::Load(web(), config).error().code(), Code::kInvalidArgument);
}

TEST_F(PagesTest, EveryPageIsTheIndexAndWhatIsNoPageIsNot) {
  Write("/web/index.html", "<p>index");
  Write("/web/assets/a-1234.js", "1");
  const Site site = *Site::Load(web(), Config());
  for (const char* path : {"/", "/pool", "/pool/0xab/1", "/dashboard", "/chat", "/chat/7",
                           "/explorer", "/explorer/receipt/0xab", "/settings", "/glossary"}) {
    const auto page = site.Get(Request(path));
    ASSERT_TRUE(page) << path;
    EXPECT_EQ(page->text(), "<p>index") << path;
  }
  for (const char* path : {"/poolx", "/v1/none", "/assets/none.js", "/status", "/chatter/1", "//pool"})
    EXPECT_FALSE(site.Get(Request(path))) << path;
  EXPECT_EQ(site.Get(Request("/assets/a-1234.js"))->headers.Find("Cache-Control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(site.Get(Request("/"))->headers.Find("Cache-Control"), "no-cache");
}

TEST_F(PagesTest, PolicyNamesTheRpcsOriginAndNoInlineScript) {
  Write("/web/index.html", "<p>");
  const Site site = *Site::Load(web(), Config());
  const auto page = site.Get(Request("/chat"));
  const std::string policy(page->headers.Find("Content-Security-Policy").value_or(""));
  EXPECT_NE(policy.find("script-src 'self';"), std::string::npos) << policy;
  EXPECT_NE(policy.find("connect-src 'self' http://127.0.0.1:8545;"), std::string::npos) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
}

TEST_F(PagesTest, ConfigSaysWhatThePagesNeed) {
  Write("/web/index.html", "<p>");
  const Site site = *Site::Load(web(), Config());
  const Json config = *Json::Parse(site.Get(Request("/config.json"))->text());
  EXPECT_EQ(*config.GetString("served_by"), "gateway");
  EXPECT_EQ(*config.GetString("gateway"), "");
  EXPECT_EQ(*config.GetUint64("chain_id"), 31337u);
  EXPECT_TRUE(config.Find("trust")->is_null());
  EXPECT_TRUE(config.Find("image")->is_null());
}

TEST(CheckImage, RefusesWhatIsNotPinned) {
  const std::string digest(64, 'a');
  for (const std::string& image :
       {std::string("teetee-node"), std::string("teetee-node:1"), "@sha256:" + digest,
        "x@sha256:" + digest.substr(1), "x y@sha256:" + digest, "x@sha256:" + digest + "0"})
    EXPECT_FALSE(CheckImage(image)) << image;
  EXPECT_TRUE(CheckImage("localhost/teetee-node@sha256:" + digest));
}

}  // namespace
}  // namespace teetee::pages
