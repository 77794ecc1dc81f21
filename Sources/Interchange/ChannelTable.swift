import ActivationStatistics
import Files
import Foundation
import SparseBundle
import ThresholdSolver

/// A bundle's thresholds as a table for spreadsheets and data frames: a row a channel of the FFN.
///
/// `layer,channel,factor,threshold,kept_share,energy_lost`; `Documentation/handoff.md` says what they are.
public struct ChannelTable: Sendable {
  private let bundle: ModelBundle
  private let statistics: StatisticsFile

  /// - Parameter path: Of the statistics that the thresholds were solved from; `statistics.h5` beside the bundle unless
  ///   given, where a run leaves them.
  /// - Throws: ``HandoffError`` where they are missing or others, or the thresholds were not solved from any; what reading
  ///   them throws.
  public init(_ bundle: ModelBundle, statistics path: String? = nil) throws {
    guard bundle.thresholds.request.method != .imported else {
      throw HandoffError.cannotCarry(
        "thresholds that were computed elsewhere, without statistics", format: .csv, instead: "use another format")
    }
    let beside = URL(filePath: bundle.path).deletingLastPathComponent().appending(path: "statistics.h5").path
    let path = path ?? beside
    guard FileManager.default.fileExists(atPath: path) else { throw HandoffError.noStatistics(path: path) }
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
