import ActivationStatistics
import Files
import SparseBundle
import ThresholdSolver

/// A bundle's thresholds as a table for spreadsheets and data frames: a row a channel of the FFN.
///
/// `layer,channel,factor,threshold,kept_share,energy_lost`; `Documentation/handoff.md` says what they are.
public struct ChannelTable: Sendable {
  private let bundle: ModelBundle
  private let statistics: StatisticsFile

  /// - Parameter statistics: Those that the thresholds were solved from.
  public init(_ bundle: ModelBundle, _ statistics: StatisticsFile) {
    self.bundle = bundle
    self.statistics = statistics
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Parameter finished: Called with the number of layers written.
  /// - Throws: What reading the statistics throws, or `FileError`.
  public func write(to path: String, finished: (_ layers: Int) -> Void = { _ in }) throws {
    try writeAtomically(to: path) { temporary in
      let file = try FileWriter(creating: temporary)
      try file.write(Array("layer,channel,factor,threshold,kept_share,energy_lost\n".utf8))
      for (index, layer) in bundle.thresholds.layers.enumerated() {
        let channels = layer.outlook(
          try statistics.layer(index), gateActivation: statistics.description.gateActivation)
        var text = ""
        for (channel, outlook) in channels.enumerated() {
          // Infinity as Python, R and pandas read it.
          let threshold = outlook.threshold == .infinity ? "inf" : "\(outlook.threshold)"
          text +=
            "\(index),\(channel),\(outlook.factor.rawValue),\(threshold),\(outlook.keptShare),\(outlook.energyLost)\n"
        }
        try file.write(Array(text.utf8))
        finished(index + 1)
      }
    }
  }
}
