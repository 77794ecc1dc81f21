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

  /// - Parameter path: Of the statistics that the thresholds were solved from.
  /// - Throws: ``HandoffError/otherStatistics(path:bundle:)`` where they are others, or what reading them throws.
  public init(_ bundle: ModelBundle, statistics path: String) throws {
    guard try sha256(ofFile: path) == bundle.manifest.sparsification.statisticsSha256 else {
      throw HandoffError.otherStatistics(path: path, bundle: bundle.path)
    }
    self.bundle = bundle
    statistics = try StatisticsFile(path: path)
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
