"""Of the arithmetic and the drawings of tools/bench; nothing here measures. Run: python3 -m unittest discover -s tools/bench -p '*_test.py'"""
import unittest
import xml.etree.ElementTree

import charts
import machine
import stats


def rounds(ours=(30.0, 34.0, 32.0), peer=(20.0, 20.0, 16.0), share=0.9, noisy=(False, False, False)):
    return [{"ours": a, "peer": b, "share": share, "noisy": n} for a, b, n in zip(ours, peer, noisy)]


class Summary(unittest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        row = stats.summary(rounds())
        self.assertEqual(row["ratio"], {"median": 1.7, "min": 1.5, "max": 2.0})
        self.assertEqual(row["ours"], {"median": 32.0, "min": 30.0, "max": 34.0})

    def test_the_peers_share_is_of_the_same_limit(self):
        row = stats.summary(rounds(ours=(40.0,), peer=(20.0,), share=0.8, noisy=(False,)))
        self.assertAlmostEqual(row["peer_share"]["median"], 0.4)

    def test_noisy_rounds_count_only_where_there_are_no_others(self):
        row = stats.summary(rounds(noisy=(True, False, True)))
        self.assertEqual((row["rounds"], row["noisy"], row["ours"]["median"]), (1, False, 34.0))
        row = stats.summary(rounds(noisy=(True, True, True)))
        self.assertEqual((row["rounds"], row["noisy"]), (3, True))


class Drift(unittest.TestCase):
    before, after = {"read_gb_s": 20, "int8_gops": 100}, {"read_gb_s": 16, "int8_gops": 105}

    def test_looks_at_the_limits_of_the_phase(self):
        self.assertAlmostEqual(stats.drift(self.before, self.after, "prefill"), 0.05)
        self.assertAlmostEqual(stats.drift(self.before, self.after, "decode 1"), 0.25)
        self.assertAlmostEqual(stats.drift(self.after, self.before, "decode 8"), 0.25)


class Goal(unittest.TestCase):
    def met(self, kind, phase, share, ratio, peer_share=0.5):
        row = {"share": {"median": share}, "ratio": {"median": ratio}, "peer_share": {"median": peer_share}}
        return stats.goal(kind, phase, row)[1]

    def test_decode_asks_for_less_where_the_peer_is_near_the_limit(self):
        self.assertTrue(self.met("Q8_0", "decode 1", 0.89, 1.4))
        self.assertFalse(self.met("Q8_0", "decode 1", 0.89, 1.39))
        self.assertTrue(self.met("Q8_0", "decode 1", 0.89, 1.2, peer_share=0.75))
        self.assertFalse(self.met("Q8_0", "decode 1", 0.87, 1.5))

    def test_prefill_asks_for_both_and_a_batch_of_8_for_either(self):
        self.assertFalse(self.met("Q8_0", "prefill", 0.56, 3.9))
        self.assertTrue(self.met("Q4_K_M", "prefill", 0.51, 2.6))
        self.assertTrue(self.met("Q4_0", "decode 8", 0.5, 3.0))
        self.assertTrue(self.met("Q4_0", "decode 8", 0.75, 1.0))
        self.assertFalse(self.met("Q4_0", "decode 8", 0.74, 2.9))

    def test_a_batch_of_32_is_asked_for_a_share_of_the_whole_peak(self):
        self.assertFalse(self.met("Q4_0", "decode 32", 0.78, 3.0))
        self.assertTrue(self.met("Q4_0", "decode 32", 0.79, 2.2))


class Drawing(unittest.TestCase):
    def test_the_chart_is_well_formed_and_shows_every_pair(self):
        results = {kind: {phase: rounds() for phase in stats.PHASES} for kind in stats.TYPES}
        about = {"cpu": "a <cpu> & more", "threads": 2, "date": "2026-01-01", "machine": {"isa": "avx2"}}
        rows = stats.rows(results)
        root = xml.etree.ElementTree.fromstring(charts.peers(about, rows))
        bars = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("width") == "28"]
        self.assertEqual(len(bars), 2 * len(rows))
        self.assertEqual(len(rows), 12)


class Names(unittest.TestCase):
    def test_a_machines_name_becomes_a_file_name(self):
        self.assertEqual(machine.slug("AMD EPYC (family 25, model 1)"), "amd-epyc-family-25-model-1")
        self.assertEqual(machine.slug("***"), "unknown")


if __name__ == "__main__":
    unittest.main()
