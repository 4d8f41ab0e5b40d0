#include "engine/text_stream.h"

#include <gtest/gtest.h>

#include <random>

namespace teetee::engine {
namespace {

std::string Whole(const std::vector<std::string>& stops, const std::vector<std::string>& pieces, bool* stopped = nullptr) {
  auto stream = TextStream::Create(stops);
  EXPECT_TRUE(stream);
  std::string out;
  for (const std::string& piece : pieces) out += stream->Push(piece).text;
  TextDelta last = stream->Finish();
  if (stopped) *stopped = last.stopped;
  return out + last.text;
}

TEST(TextStreamRefusal, Stops) {
  EXPECT_FALSE(TextStream::Create({""}));
  EXPECT_FALSE(TextStream::Create({"\xff"}));
  EXPECT_FALSE(TextStream::Create({"\xe2\x82"}));
  EXPECT_FALSE(TextStream::Create({std::string(513, 'x')}));
  EXPECT_FALSE(TextStream::Create(std::vector<std::string>(17, "x")));
  EXPECT_TRUE(TextStream::Create(std::vector<std::string>(16, std::string(512, 'x'))));
}

TEST(TextStream, HoldsAnUnfinishedCharacter) {
  auto stream = TextStream::Create();
  EXPECT_EQ(stream->Push("a\xf0\x9f").text, "a");
  EXPECT_EQ(stream->Push("\x99").text, "");
  EXPECT_EQ(stream->held_bytes(), 3u);
  EXPECT_EQ(stream->Push("\x82" "b").text, "🙂b");
  EXPECT_EQ(stream->Push("\xe2\x82").text, "");
  EXPECT_EQ(stream->Finish().text, "\xEF\xBF\xBD");
}

TEST(TextStream, MalformedBytesAreReplacedAtOnce) {
  EXPECT_EQ(Whole({}, {"a\xff", "b\xc3", "c"}), "a\uFFFDb\uFFFDc");
  EXPECT_EQ(Whole({}, {"\xe2\x82\xe2\x82\xac\x80"}), "\uFFFD€\uFFFD");      // maximal parts
  EXPECT_EQ(Whole({}, {"\xed\xa0\x80", "\xc0\x80", "\xf5"}), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");  // surrogate, overlong
  EXPECT_EQ(Whole({}, {"\xf4\x90\x80\x80"}), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(TextStream, StopOverTokenBorders) {
  auto stream = TextStream::Create({"<|end|>"});
  TextDelta a = stream->Push("Paris<|e");
  EXPECT_EQ(a.text, "Paris");
  EXPECT_FALSE(a.stopped);
  TextDelta b = stream->Push("nd|>more");
  EXPECT_EQ(b.text, "");
  EXPECT_TRUE(b.stopped);
  EXPECT_EQ(stream->Push("x").text, "");
  EXPECT_EQ(stream->Finish().text, "");
  EXPECT_EQ(Whole({"<|end|>"}, {"a<|", "e<|e", "x"}), "a<|e<|ex");
}

TEST(TextStream, HoldsBackOnlyWhatMayBecomeAStop) {
  auto stream = TextStream::Create({"aab", "\n\nUser:"});
  EXPECT_EQ(stream->Push("aaaa").text, "aa");
  EXPECT_EQ(stream->Push("\n").text, "aa");
  EXPECT_EQ(stream->Push("\n\n").text, "\n");
  EXPECT_EQ(stream->Push("User").text, "");
  EXPECT_EQ(stream->Finish().text, "\n\nUser");
}

TEST(TextStream, TheStopThatEndsFirstWins) {
  bool stopped = false;
  EXPECT_EQ(Whole({"bcd", "c"}, {"abcd"}, &stopped), "ab");
  EXPECT_TRUE(stopped);
  EXPECT_EQ(Whole({"c", "bc"}, {"abcd"}), "a");  // both end at c: the longer
  EXPECT_EQ(Whole({"abcx", "bcy"}, {"zabcy"}), "za");
}

TEST(TextStream, StopWithOtherScripts) {
  EXPECT_EQ(Whole({"。"}, {"\xe4\xbd\xa0\xe5", "\xa5\xbd\xe3\x80", "\x82x"}), "你好");
  EXPECT_EQ(Whole({"\uFFFD"}, {"ab\xff", "c"}), "ab");
  EXPECT_EQ(Whole({"\uFFFD"}, {"ab\xe2"}), "ab");  // at the end
}

// Any split of the bytes gives the same text, and no delta cuts a character.
TEST(TextStream, SplitsDoNotMatter) {
  std::mt19937 random(1);
  const std::vector<std::string> words = {"a", "ab", "aba", "\xf0\x9f\x99\x82", "é", "\xff", "\xe2\x82", "€", "b", "\xc3", "\n"};
  const std::vector<std::vector<std::string>> stops = {{}, {"abab", "ba€"}, {"ééa"}, {"\n\n", "aab", "bbb", "🙂é"}};
  for (int round = 0; round < 3000; ++round) {
    std::string all;
    for (unsigned i = random() % 40; i > 0; --i) all += words[random() % words.size()];
    const auto& chosen = stops[random() % stops.size()];
    bool stopped = false, split_stopped = false;
    std::string expected = Whole(chosen, {all}, &stopped);
    std::vector<std::string> pieces;
    for (size_t at = 0; at < all.size();) {
      size_t size = random() % 4;
      pieces.push_back(all.substr(at, size));
      at += size;
    }
    EXPECT_EQ(Whole(chosen, pieces, &split_stopped), expected);
    EXPECT_EQ(split_stopped, stopped);
    for (const std::string& stop : chosen) EXPECT_EQ(expected.find(stop), std::string::npos);
    EXPECT_EQ(Whole({}, {expected}), expected);  // well-formed
  }
}

}  // namespace
}  // namespace teetee::engine
