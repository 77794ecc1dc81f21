import Foundation

/// Where what can be made again is kept between runs.
public enum CacheFolder {
  /// What the environment asks for: `GAMBIT_CACHE` is the folder, or `off`; without it, it is in the user's folder for
  /// caches.
  ///
  /// - Returns: `nil` where nothing is to be kept.
  public static func standard(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    if let folder = environment["GAMBIT_CACHE"], !folder.isEmpty { return folder == "off" ? nil : folder }
    let caches = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
    return caches.map { $0.path + "/gambit" }
  }
}
