using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Holdfast.Engine.Reactive.Conversion;

namespace Holdfast.Engine.Reactive.Python;

/// <summary>
/// Has Python cells analysed by an interpreter of the notebook's own kernel, in a process beside it, so that a busy kernel holds up nobody
/// who types. The process starts with the first question and is asked one batch at a time. 1. Questions that wait are written together; 2.
/// answers come in their order; 3. where the process ends, or gives no answer in time, the question it was at gets an error for its answer,
/// and a new process is asked the rest.
/// </summary>
public sealed class PythonAnalyser : ICellAnalyser, IDisposable
{
    /// <summary>Some thousand times what a cell takes.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    // A process that has had no time to work is no process that hangs: on a busy machine an interpreter may take that long to start. But
    // nobody waits for ever, should it be stopped.
    private const int TimeoutsMax = 12;

    // A batch has to fit into the socket's buffers with its answers, or both sides would wait to write.
    private const int BatchMax = 32;
    private const int BatchCharactersMax = 16 * 1024;

    private readonly string _interpreter;
    private readonly Action _childSpawned;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _stop = new();

    // Bounded, and full only when thousands of cells are registered at once: those then wait.
    private readonly Channel<Question> _questions = Channel.CreateBounded<Question>(
        new BoundedChannelOptions(1024) { SingleReader = true }
    );
    private readonly Task _asking;
    private AnalyserProcess? _process;
    private long _lastId;

    private abstract record Question(string Source, Action<Utf8JsonWriter>? More)
    {
        public abstract void Answer(JsonElement answer);

        public abstract void Fail(string why);

        public abstract void Cancel();
    }

    private sealed record Question<T>(string Source, Action<Utf8JsonWriter>? More, Func<JsonElement, T> Read, Func<string, T> Failed)
        : Question(Source, More)
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _answer.Task;

        public override void Answer(JsonElement answer) => _answer.TrySetResult(Read(answer));

        public override void Fail(string why) => _answer.TrySetResult(Failed(why));

        public override void Cancel() => _answer.TrySetCanceled(CancellationToken.None);
    }

    public PythonAnalyser(string interpreter, Action childSpawned, TimeProvider time, TimeSpan? timeout = null)
    {
        _interpreter = interpreter;
        _childSpawned = childSpawned;
        _time = time;
        _timeout = timeout ?? AnswerTimeout;
        _asking = AskAllAsync(_stop.Token);
    }

    public Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken) =>
        AskAsync(new Question<CellAnalysis>(source, null, AnalysisJson.Read, Failed), cancellationToken);

    /// <summary>The same with where each name is and whose value it has; null for these where the text cannot be read.</summary>
    public Task<(CellAnalysis Analysis, CellBindings? Bindings)> BindAsync(string source, CancellationToken cancellationToken) =>
        AskAsync(
            new Question<(CellAnalysis, CellBindings?)>(
                source,
                static writer => writer.WriteBoolean("bindings", true),
                static answer => (AnalysisJson.Read(answer), AnalysisJson.ReadBindings(answer)),
                static why => (Failed(why), null)
            ),
            cancellationToken
        );

    /// <summary>The text with names changed and nothing else; null when that cannot be done exactly.</summary>
    public Task<string?> RenameAsync(string source, IReadOnlyList<NameChange> changes, CancellationToken cancellationToken) =>
        AskAsync(
            new Question<string?>(
                source,
                writer => WriteChanges(writer, changes),
                static answer => answer.GetProperty("text").GetString(),
                static _ => null
            ),
            cancellationToken
        );

    private static void WriteChanges(Utf8JsonWriter writer, IReadOnlyList<NameChange> changes)
    {
        writer.WriteStartObject("rename");
        foreach (NameChange change in changes)
        {
            writer.WriteStartArray(change.Ordinal.ToString(CultureInfo.InvariantCulture));
            writer.WriteStringValue(change.Name);
            writer.WriteStringValue(change.Source);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private async Task<T> AskAsync<T>(Question<T> question, CancellationToken cancellationToken)
    {
        await _questions.Writer.WriteAsync(question, cancellationToken);
        return await question.Task.WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _questions.Writer.TryComplete();
        _process?.Dispose();
        _stop.Dispose();
    }

    private async Task AskAllAsync(CancellationToken stop)
    {
        var batch = new Queue<Question>();
        try
        {
            while (await _questions.Reader.WaitToReadAsync(stop))
            {
                int characters = 0;
                while (
                    batch.Count < BatchMax
                    && (batch.Count == 0 || characters < BatchCharactersMax)
                    && _questions.Reader.TryRead(out Question? question)
                )
                {
                    batch.Enqueue(question);
                    characters += question.Source.Length;
                }

                while (batch.Count > 0)
                {
                    await AskAsync(batch, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            while (batch.TryDequeue(out Question? question) || _questions.Reader.TryRead(out question))
            {
                question.Cancel();
            }
        }
    }

    /// <summary>Takes at least one question off the batch, answered.</summary>
    private async Task AskAsync(Queue<Question> batch, CancellationToken stop)
    {
        _process ??= AnalyserProcess.Start(_interpreter, _childSpawned);
        if (_process is not { } process)
        {
            batch.Dequeue().Fail($"Python could not be started as {_interpreter} to look at this cell.");
            return;
        }

        string why = "Python ended while it looked at this cell.";
        try
        {
            var questions = new ArrayBufferWriter<byte>();
            long id = _lastId;
            foreach (Question question in batch)
            {
                Write(questions, ++_lastId, question);
            }

            // Written while answers are read: a cell of megabytes fills what lies between.
            Task writing = process.Input.WriteAsync(questions.WrittenMemory, stop).AsTask();
            while (batch.Count > 0)
            {
                if (await ReadAnswerAsync(process, stop) is not { } line)
                {
                    break;
                }

                using JsonDocument answer = JsonDocument.Parse(line);
                if (answer.RootElement.GetProperty("id").GetInt64() != ++id)
                {
                    throw new JsonException("The analyser answered another question.");
                }

                batch.Peek().Answer(answer.RootElement);
                batch.Dequeue();
            }

            if (batch.Count == 0)
            {
                await writing;
                return;
            }
        }
        catch (TimeoutException)
        {
            why = $"Python had no answer for this cell within {_timeout.TotalSeconds:0.#} seconds.";
        }
        catch (Exception ended) when (ended is IOException or JsonException or ObjectDisposedException)
        {
            // What it said is of no use; neither is it.
        }

        process.Dispose();
        _process = null;
        if (batch.TryDequeue(out Question? culprit))
        {
            culprit.Fail(why);
        }
    }

    /// <exception cref="TimeoutException">It has worked on the answer for long enough.</exception>
    private async Task<string?> ReadAnswerAsync(AnalyserProcess process, CancellationToken stop)
    {
        Task<string?> reading = process.Lines.ReadLineAsync(stop).AsTask();
        TimeSpan? before = null;
        for (int timeouts = 1; ; timeouts++)
        {
            try
            {
                return await reading.WaitAsync(_timeout, _time, stop);
            }
            catch (TimeoutException) when (timeouts < TimeoutsMax && IsStarving())
            {
                // Others had the processors.
            }
        }

        // How far it was at the question nobody has asked: what a young process has worked in all tells at the first time-out, else the
        // second.
        bool IsStarving()
        {
            TimeSpan now = process.Worked;
            before ??= now < _timeout / 2 ? TimeSpan.Zero : now;
            return now - before < _timeout / 2;
        }
    }

    private static void Write(ArrayBufferWriter<byte> buffer, long id, Question question)
    {
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("source", question.Source);
            question.More?.Invoke(writer);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    private static CellAnalysis Failed(string message) => new() { Error = new AnalysisError(AnalysisErrorKind.NotAnalysed, message, 0) };
}
