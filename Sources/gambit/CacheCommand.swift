import ArgumentParser
import Files
import Foundation
import Reports
import SparseBundle

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Shows, checks or empties the cache of unpacked weights.",
    discussion: """
      generate and bench unpack a bundle's weights once and map the file after that. The cache is a folder gambit in \
      the user's folder for caches, or what GAMBIT_CACHE names; GAMBIT_CACHE=off keeps nothing. It holds at most \
      \(WeightCache.standardLimit / 1_000_000_000) GB, or GAMBIT_CACHE_LIMIT bytes: what was not used for longest \
      makes room. Beside it are the SHA-256 of large models: such a file is hashed again only where its inode, size or \
      times of change are others.
      """,
    subcommands: [List.self, Verify.self, Clear.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists what is in the cache.")

    @OptionGroup var options: OutputOptions

    func run() throws {
      let cache = WeightCache.standard()
      let entries = try cache.entries().map(Item.init)
      var table = TextTable(["model", "weights", "MB", "used", "key"])
      for entry in entries {
        let used = entry.lastUsed.formatted(.iso8601)
        table.add([entry.model, entry.type ?? "", "\(entry.bytes / 1_000_000)", used, String(entry.key.prefix(12))])
      }
      try options.print(
        Listing(directory: cache.directory, limit: cache.limit, entries: entries),
        text: entries.isEmpty ? "nothing in \(cache.directory ?? "no cache")" : table.description)
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hashes everything in the cache; exits with 1 where an entry is not what was unpacked.")

    @OptionGroup var options: OutputOptions

    func run() throws {
      let results = try WeightCache.standard().entries().map {
        Result(key: $0.key, ok: (try? $0.hashMatches()) ?? false)
      }
      let bad = results.filter { !$0.ok }
      let text = "\(results.count) entries, \(bad.count) damaged" + (bad.isEmpty ? "" : ": run gambit cache clear")
      try options.print(results, text: text)
      if !bad.isEmpty { throw ExitCode(1) }
    }
  }

  struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Removes everything from the cache.")

    func run() throws {
      for entry in try WeightCache.standard().entries() { entry.remove() }
      KnownDigests.standard().clear()
    }
  }

  private struct Item: Encodable {
    var key: String
    var model: String
    var type: String?
    var bytes: Int
    var lastUsed: Date

    init(_ entry: WeightCache.Entry) {
      key = entry.key
      model = entry.model
      type = entry.type?.rawValue
      bytes = entry.bytes
      lastUsed = entry.lastUsed
    }
  }

  private struct Listing: Encodable {
    var directory: String?
    var limit: Int
    var entries: [Item]
  }

  private struct Result: Encodable {
    var key: String
    var ok: Bool
  }
}
