using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Tests.Contents;
using Holdfast.Tests.Executions;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Notebooks;

/// <summary>
/// Goal: a notebook that is opened again shows what ran since it was saved, and nothing else. Method: a real journal and store, as a
/// client's cells leave them; the file's time is set to what a case needs.
/// </summary>
public sealed class UnsavedResultsTests
{
    private const long Second = 1_000_000;
    internal const long SavedAt = 1_700_000_000 * Second;

    private static readonly string Source = "print(1)\nprint(2)";

    [Fact]
    public async Task A_cell_that_ended_after_the_save_has_its_outputs_count_and_times()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 7);
        JsonNode cell = room.Cell(0);
        Assert.Equal("one\n", (string?)cell["outputs"]![0]!["text"]);
        Assert.Equal(7, (int?)cell["execution_count"]);
        Assert.NotNull(cell["metadata"]!["execution"]!["shell.execute_reply"]);
        Assert.Equal("succeeded", (string?)cell["metadata"]!["holdfast"]!["state"]);
        Assert.True((bool)cell["metadata"]!["trusted"]!);
        Assert.False((bool)room.Cell(1)["metadata"]!["trusted"]!);
        Assert.Equal("[]", room.Cell(1)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task A_notebook_that_is_renamed_with_its_folder_or_deleted_takes_its_kernels_along()
    {
        await using var room = await NotebookRoom.MakeAsync("sub/n.ipynb");
        await room.RunAsync("m1", null, Source, SavedAt + Second, "one\n", count: 7);
        Directory.CreateDirectory(room.Contents.PathOf("sub"));
        File.Move(room.Contents.PathOf("n.ipynb"), room.Contents.PathOf("sub/n.ipynb"));

        await room.Contents.Contents.Rename.RunAsync(ContentsRoom.At("sub"), ContentsRoom.At("elsewhere"));
        await room.Contents.Contents.Rename.RunAsync(ContentsRoom.At("elsewhere/n.ipynb"), ContentsRoom.At("n.ipynb"));
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);

        string text = room.Contents.Read("n.ipynb");
        await room.Contents.Contents.Delete.RunAsync(ContentsRoom.At("n.ipynb"));
        room.Contents.Write("n.ipynb", text);
        File.SetLastWriteTimeUtc(room.Contents.PathOf("n.ipynb"), DateTime.UnixEpoch.AddMicroseconds(SavedAt));
        Assert.Equal("[]", room.Cell(0)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task A_cell_that_ended_before_the_save_is_the_files_own()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt - (2 * Second), "one\n", count: 7);
        Assert.Equal("[]", room.Cell(0)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task A_cell_that_ended_just_before_the_save_counts_when_the_file_has_another_count()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt - (Second / 10), "one\n", count: 7);
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        await room.RunAsync("m2", "c1", "two", SavedAt - (Second / 10), "two\n", count: 3);
        Assert.Equal("[]", room.Cell(1)["outputs"]!.ToJsonString()); // Its count is 3 in the file: the person cleared the outputs.
    }

    [Fact]
    public async Task A_running_cell_has_what_it_has_said_so_far()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, endedAt: null, "one\n", count: 7);
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        Assert.Equal("running", (string?)room.Cell(0)["metadata"]!["holdfast"]!["state"]);
    }

    [Fact]
    public async Task A_changed_source_leaves_the_files_outputs_and_says_so_to_clients_only()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        string id = await room.RunAsync("m1", "c0", "something else", SavedAt + Second, "one\n", count: 7);
        JsonNode conflict = room.Cell(0)["metadata"]!["holdfast"]!["conflict"]!;
        Assert.Equal(
            (id, "sourceChanged", "succeeded"),
            ((string?)conflict["executionId"], (string?)conflict["reason"], (string?)conflict["state"])
        );
        Assert.Equal("[]", room.Cell(0)["outputs"]!.ToJsonString());
        room.Contents.SaveNotebook("n.ipynb", room.Sent());
        Assert.DoesNotContain("holdfast", room.Contents.Read("n.ipynb"), StringComparison.Ordinal);
        Assert.DoesNotContain("trusted", room.Contents.Read("n.ipynb"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_latest_execution_of_a_cell_counts()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", "old source", SavedAt + Second, "one\n", count: 1);
        await room.RunAsync("m2", "c0", Source, SavedAt + (2 * Second), "two\n", count: 2);
        Assert.Equal("two\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        Assert.Null(room.Cell(0)["metadata"]!["holdfast"]!["conflict"]);
    }

    [Fact]
    public async Task Without_a_cell_id_the_only_cell_with_that_source_is_meant()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", null, Source, SavedAt + Second, "one\n", count: 1);
        await room.RunAsync("m2", null, "same", SavedAt + Second, "two\n", count: 2);
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        Assert.Equal("[]", room.Cell(2)["outputs"]!.ToJsonString()); // Two cells have it.
        Assert.Equal("[]", room.Cell(3)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task What_another_notebooks_kernel_said_is_not_of_this_one()
    {
        await using var room = await NotebookRoom.MakeAsync("other.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 1);
        Assert.Equal("[]", room.Cell(0)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task A_client_without_a_session_is_known_by_its_cell_and_folder()
    {
        await using var room = await NotebookRoom.MakeAsync(null);
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 1);
        await room.RunAsync("m2", null, "two", SavedAt + Second, "two\n", count: 2);
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        Assert.Equal("[]", room.Cell(1)["outputs"]!.ToJsonString());
    }

    [Fact]
    public async Task Code_that_is_too_long_for_the_store_is_read_from_the_journal()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 1, storesCode: false);
        await room.RunAsync("m2", "c1", "other", SavedAt + Second, "two\n", count: 2, storesCode: false);
        Assert.Equal("one\n", (string?)room.Cell(0)["outputs"]![0]!["text"]);
        Assert.NotNull(room.Cell(1)["metadata"]!["holdfast"]!["conflict"]);
    }

    [Fact]
    public async Task Recovering_writes_it_once_and_tells_of_each_cell()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 7);
        await room.RunAsync("m2", "c1", "other", SavedAt + Second, "two\n", count: 8);
        string before = room.Contents.Read("n.ipynb");
        NotebookRecovery dry = room.Recover(isDryRun: true);
        Assert.Equal([(0, CellRecovery.Restored), (1, CellRecovery.Conflict)], dry.Cells.Select(static c => (c.Index, c.Recovery)));
        Assert.Equal((false, before), (dry.IsSaved, room.Contents.Read("n.ipynb")));
        room.Contents.Contents.Trust.Run(ContentsRoom.At("n.ipynb"));

        Assert.True(room.Recover(isDryRun: false).IsSaved);
        string after = room.Contents.Read("n.ipynb");
        Assert.Contains("one\\n", after, StringComparison.Ordinal);
        Assert.DoesNotContain("conflict", after, StringComparison.Ordinal);
        Assert.True((bool)room.Cell(1)["metadata"]!["trusted"]!); // It was trusted, and is.

        NotebookRecovery again = room.Recover(isDryRun: false);
        Assert.False(again.IsSaved);
        Assert.DoesNotContain(again.Cells, static c => c.IsRestored);
        Assert.Equal(after, room.Contents.Read("n.ipynb"));
    }

    [Fact]
    public async Task A_widget_that_is_shown_has_its_state_beside_those_the_file_has_already()
    {
        await using var room = await NotebookRoom.MakeAsync("n.ipynb");
        await room.RunAsync("m1", "c0", Source, SavedAt + Second, "one\n", count: 7);
        Assert.Null(JsonNode.Parse(room.Sent())!["metadata"]!["widgets"]);
        room.OpenWidget("w", "m2");
        await room.RunAsync("m2", "c1", "two", SavedAt + Second, "two\n", count: 8);
        JsonNode state = JsonNode.Parse(room.Sent())!["metadata"]!["widgets"]!["application/vnd.jupyter.widget-state+json"]!;
        Assert.Equal(
            ("SliderModel", 3, 2),
            ((string?)state["state"]!["w"]!["model_name"], (int)state["state"]!["w"]!["state"]!["value"]!, (int)state["version_major"]!)
        );

        Assert.True(room.Recover(isDryRun: false).IsSaved);
        JsonNode saved = JsonNode.Parse(room.Contents.Read("n.ipynb"))!["metadata"]!["widgets"]!;
        Assert.NotNull(saved["application/vnd.jupyter.widget-state+json"]!["state"]!["w"]);
        NotebookFile notebook = NotebookFile.Parse(Encoding.UTF8.GetBytes(room.Contents.Read("n.ipynb")), "n");
        byte[] merged = Holdfast.Engine.Kernels.Comms.WidgetState.ToJson(
            [
                new("v", "jupyter.widget", null, 1, "m")
                {
                    State = System.Collections.Immutable.ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Empty,
                },
            ],
            notebook.WidgetState
        );
        Assert.Equal(["v", "w"], JsonNode.Parse(merged)!["state"]!.AsObject().Select(static m => m.Key).Order());
    }

    [Fact]
    public void Stretches_of_a_journal_are_read_once_and_in_order() =>
        Assert.Equal([(0, 12), (20, long.MaxValue)], UnsavedResults.Join([(20, 30), (0, 10), (25, long.MaxValue), (5, 12)]));

    internal sealed class NotebookRoom : IAsyncDisposable
    {
        private readonly AttemptId _attempt;
        private readonly JournalWriter _journal;
        private readonly KernelId _kernel = KernelId.New();
        private readonly HashSet<string> _views = [];
        private long _at;

        private NotebookRoom()
        {
            _attempt = new AttemptId(Holdfast.Engine.Ulid.New(Contents.Clock));
            Contents.Write("n.ipynb", Notebook());
            File.SetLastWriteTimeUtc(Contents.PathOf("n.ipynb"), DateTime.UnixEpoch.AddMicroseconds(SavedAt));
            Directory.CreateDirectory(Contents.Folders.Of(_attempt));
            _journal = JournalWriter.Open(new AttemptFiles(Contents.Folders.Of(_attempt)).Journal, new JournalOptions());
        }

        /// <param name="boundTo">Whose kernel it is; null for nobody's.</param>
        public static async Task<NotebookRoom> MakeAsync(string? boundTo)
        {
            var room = new NotebookRoom();
            await room.Contents.Ledger.Store.WriteAsync(
                transaction =>
                {
                    KernelsTable.Insert(
                        transaction,
                        new Kernel(room._kernel, "python3", KernelState.Running, room._attempt, room.Contents.Root, SavedAt),
                        "here"
                    );
                    if (boundTo is not null)
                    {
                        NotebookKernelsTable.Bind(transaction, room.Contents.PathOf(boundTo), room._kernel, SavedAt);
                    }
                },
                TemporaryLedger.Cancel
            );
            return room;
        }

        public ContentsRoom Contents { get; } = new();

        public string Sent() => ContentsRoom.Text(Contents.Get("n.ipynb"));

        public JsonNode Cell(int index) => JsonNode.Parse(Sent())!["cells"]![index]!;

        public NotebookRecovery Recover(bool isDryRun) => Contents.Contents.Recover.Run("n.ipynb", isDryRun);

        /// <summary>What a client's cell leaves in journal and store. Null: it runs still.</summary>
        public async Task<string> RunAsync(
            string id,
            string? cellId,
            string code,
            long? endedAt,
            string output,
            int count,
            bool storesCode = true
        )
        {
            long start = _at;
            string content = new JsonObject { ["code"] = code }.ToJsonString();
            Append(KernelMessages.Of(JournalChannel.ShellRequest, "execute_request", id, "", content, 0));
            Append(KernelMessages.Status(id, "busy", 0));
            Append(KernelMessages.Stream("somebody else", "not mine", 0));
            Append(
                KernelMessages.Of(
                    JournalChannel.IoPub,
                    "stream",
                    "stream",
                    id,
                    new JsonObject { ["name"] = "stdout", ["text"] = output }.ToJsonString(),
                    0
                )
            );
            Append(KernelMessages.Of(JournalChannel.IoPub, "execute_input", "input", id, $$"""{"execution_count":{{count}}}""", 0));
            if (_views.Contains(id))
            {
                Append(
                    KernelMessages.Of(
                        JournalChannel.IoPub,
                        "display_data",
                        "view",
                        id,
                        """{"data":{"application/vnd.jupyter.widget-view+json":{"model_id":"w"},"text/plain":"w"},"metadata":{}}""",
                        0
                    )
                );
            }

            if (endedAt is not null)
            {
                Append(KernelMessages.Reply(id, 0, $$"""{"status":"ok","execution_count":{{count}}}"""));
                Append(KernelMessages.Status(id, "idle", 0));
            }

            _journal.Sync();
            var sent = new SentCell
            {
                Id = new ExecutionId(Holdfast.Engine.Ulid.New(Contents.Clock)),
                AttemptId = _attempt,
                KernelId = _kernel.Value,
                MessageId = id,
                CellId = cellId,
                Request = storesCode ? content : "{}",
                CreatedAt = SavedAt - (3 * Second),
                StartedAt = SavedAt - (3 * Second),
                StartPosition = start,
                EndPosition = endedAt is null ? 0 : _at,
                Outcome = endedAt is { } at ? new Outcome(ExecutionState.Succeeded, 0, null, "ok", null, at) : null,
            };
            Execution stored = await Contents.Ledger.Store.WriteAsync(
                transaction => Contents.Ledger.Ledger.SaveSent(transaction, sent, isNew: true),
                TemporaryLedger.Cancel
            );
            return stored.Id.Value;
        }

        /// <summary>A widget, an update of it, and its view among a cell's outputs.</summary>
        public void OpenWidget(string id, string cell)
        {
            Append(
                KernelMessages.Of(
                    JournalChannel.IoPub,
                    "comm_open",
                    "o",
                    cell,
                    $$$"""{"comm_id":"{{{id}}}","target_name":"jupyter.widget","data":{"state":{"_model_name":"SliderModel","value":1} } }""",
                    0
                )
            );
            Append(
                KernelMessages.Of(
                    JournalChannel.IoPub,
                    "comm_msg",
                    "u",
                    cell,
                    $$$"""{"comm_id":"{{{id}}}","data":{"method":"update","state":{"value":3} } }""",
                    0
                )
            );
            _views.Add(cell);
        }

        public async ValueTask DisposeAsync()
        {
            _journal.Dispose();
            await Contents.DisposeAsync();
        }

        private void Append(in KernelMessage message)
        {
            JupyterMessage frames = message.Message;
            byte[] bytes = Multipart.Encode(
                "identity"u8.ToArray(),
                JupyterMessage.Delimiter.ToArray(),
                "signature"u8.ToArray(),
                frames.HeaderJson.ToArray(),
                frames.ParentJson.ToArray(),
                "{}"u8.ToArray(),
                frames.Content.ToArray()
            );
            _journal.Append(message.Channel, bytes, 1);
            _at = _journal.Position;
        }

        private static string Notebook() =>
            new JsonObject
            {
                ["cells"] = new JsonArray(
                    CellOf("c0", Source, null),
                    CellOf("c1", "two", 3),
                    CellOf("c2", "same", null),
                    CellOf("c3", "same", null)
                ),
                ["metadata"] = new JsonObject(),
                ["nbformat"] = 4,
                ["nbformat_minor"] = 5,
            }.ToJsonString();

        private static JsonObject CellOf(string id, string source, int? count) =>
            new()
            {
                ["cell_type"] = "code",
                ["execution_count"] = count,
                ["id"] = id,
                ["metadata"] = new JsonObject(),
                ["outputs"] = new JsonArray(),
                ["source"] = source,
            };
    }
}
