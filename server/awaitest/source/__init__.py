"""Text → lines, segments, trees and positions. Pure: no file, clock or network is touched here."""
